"""Judge a version against the request's gates and the version that serves now."""

from typing import Any

from lambdas import wiring
from lambdas.releases.version_decision import VersionStep, decide_version

personalize, releases_of = wiring.personalize(), wiring.releases()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the decision and the version to serve: the one judged, or the one that serves when it is kept back.

    `event` is ``{"datasetGroup", "solution", "solutionVersionArn", "gates", "campaignArns", "training", "now"}``.
    """
    answer = decide_version(personalize, releases_of(event["datasetGroup"]), VersionStep.model_validate(event))
    wiring.logger.info("judged", extra={"judgement": answer})
    wiring.count("VersionsKeptBack", int(answer["decision"] == "KEEP"))
    return answer
