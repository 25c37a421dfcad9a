"""Judge a version against the request's gates and the version that serves now."""

from typing import Any

from lambdas import wiring
from lambdas.notices.stage_events import SolutionVersionKeptBack
from lambdas.releases.version_decision import VersionStep, decide_version

personalize, releases_of, events = wiring.personalize(), wiring.releases(), wiring.event_bus()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the decision and the version to serve: the one judged, or the one that serves when it is kept back.

    A version that is kept back is told on the stage's bus.

    `event` is ``{"datasetGroup", "solution", "solutionVersionArn", "gates", "campaignArns", "training", "now"}``.
    """
    answer = decide_version(personalize, releases_of(event["datasetGroup"]), VersionStep.model_validate(event))
    wiring.logger.info("judged", extra={"judgement": answer})
    if answer["decision"] == "KEEP":
        events.put(
            SolutionVersionKeptBack(
                dataset_group=event["datasetGroup"],
                solution=event["solution"],
                reasons=answer["reasons"],
                trained_solution_version_arn=answer["trainedSolutionVersionArn"],
                solution_version_arn=answer["solutionVersionArn"],
                metrics=answer["metrics"],
            )
        )
    wiring.count("VersionsKeptBack", int(answer["decision"] == "KEEP"))
    return answer
