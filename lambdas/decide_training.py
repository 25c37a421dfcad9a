"""Decide whether a solution needs another version, and name it."""

from datetime import datetime
from typing import Any

from lambdas import wiring
from lambdas.names import digest
from lambdas.personalize.resources import RESOURCES
from lambdas.releases.trained_versions import comparable_versions, put_events_since
from lambdas.releases.training_decision import (
    Action,
    NewData,
    TrainingDecision,
    TrainingPolicy,
    decide_training,
)
from lambdas.requests.recipe_facts import can_update

personalize, imports, counts = wiring.personalize(), wiring.import_history(), wiring.counts()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the decision with its reasons, and the version to wait for: a new one, or one that is there.

    `event` is ``{"datasetGroup", "solution", "training", "versionOptions", "run", "now"}``: CreateSolution's
    parameters, what the request says about trainings and their versions, the run's name and when its stage began, which
    is the same however often it is tried.
    """
    solution, now = event["solution"], datetime.fromisoformat(event["now"])
    arn = str(RESOURCES["solution"].arn(personalize.arn_prefix, solution))
    imported = imports.newest(event["datasetGroup"])
    policy = TrainingPolicy(**event["training"], can_update=can_update(solution.get("recipeArn")))
    versions = comparable_versions(personalize, arn, solution)
    data = NewData(imported, put_events_since(counts, policy, versions, solution["datasetGroupArn"], now))
    decision = decide_training(policy, versions, data, now)
    answer = {
        "action": decision.action,
        "reasons": list(decision.reasons),
        "imported": {dataset: time.isoformat() for dataset, time in imported.items()},
        "version": _version(decision, arn, event["run"], now, event["versionOptions"]),
    }
    wiring.logger.info("decided", extra={"solution": arn, "decision": answer})
    wiring.count("TrainingsDecided", int(decision.action is Action.TRAIN))
    return answer


def _version(
    decision: TrainingDecision, solution_arn: str, run: str, now: datetime, options: dict[str, Any]
) -> dict[str, Any] | None:
    """Return what ensure_resource is given: a new version's name says when, how and, by a digest, for which run."""
    if decision.action is Action.NONE:
        return None
    if decision.version_arn:
        return {"type": "solution_version", "request": {"solutionVersionArn": decision.version_arn}}
    name = personalize.names.made(f"{now:%Y-%m-%d-%H%M%S}", decision.mode.lower(), digest(f"{run}/{solution_arn}", 6))
    request = {"solutionArn": solution_arn, "name": name, "trainingMode": decision.mode, **options}
    return {"type": "solution_version", "request": request}
