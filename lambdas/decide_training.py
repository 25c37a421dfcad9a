"""Decide whether a solution needs another version, and name it."""

from datetime import datetime
from typing import Any

from lambdas import wiring
from lambdas.costs.budget_check import OverBudgetError, over_training_hours
from lambdas.costs.group_costs import month_of, training_hours
from lambdas.names import digest
from lambdas.personalize.resources import HOUR, RESOURCES
from lambdas.releases.training_choice import choose_training
from lambdas.releases.training_decision import Action, TrainingDecision
from lambdas.requests.parameters import Problem

personalize, imports, counts = wiring.personalize(), wiring.import_history(), wiring.counts()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the decision with its reasons, and the version to wait for: a new one, or one that is there.

    `event` is ``{"datasetGroup", "solution", "training", "versionOptions", "trainingHoursPerMonth", "run", "now"}``:
    CreateSolution's parameters, what the request says about trainings, their versions and their budget, the run's name
    and when its stage began, which is the same however often it is tried. Raises OverBudgetError.
    """
    solution, now = event["solution"], datetime.fromisoformat(event["now"])
    arn = str(RESOURCES["solution"].arn(personalize.arn_prefix, solution))
    imported = imports.newest(event["datasetGroup"])
    choice = choose_training(personalize, counts, event, imported, now)
    decision = choice.decision
    if decision.action is Action.TRAIN:
        _demand_hours(event, choice.billed_hours, now)
    answer = {
        "action": decision.action,
        "reasons": list(decision.reasons),
        "imported": {dataset: time.isoformat() for dataset, time in imported.items()},
        "version": _version(decision, arn, event["run"], now, event["versionOptions"]),
    }
    wiring.logger.info("decided", extra={"solution": arn, "decision": answer})
    wiring.count("TrainingsDecided", int(decision.action is Action.TRAIN))
    return answer


def _demand_hours(event: dict[str, Any], billed_hours: float | None, now: datetime) -> None:
    """Refuse a training that the budget has no hours for: its run may have been planned before others trained."""
    limit, month = event["trainingHoursPerMonth"], month_of(now)
    if limit is None:
        return
    trained = training_hours(personalize, event["solution"]["datasetGroupArn"], month)
    hours = billed_hours or RESOURCES["solution_version"].cadence.typical_seconds / HOUR
    if text := over_training_hours(limit, trained, hours, month):
        wiring.count("OverBudget")
        raise OverBudgetError([Problem("$.budget.trainingHoursPerMonth", text)])


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
