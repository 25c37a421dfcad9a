"""Train solutions by themselves: within the hour, then by their schedule when there is new data."""

import math
from typing import Final

from personalize_local.personalize.operations.datasets import of_group
from personalize_local.personalize.operations.solution_versions import is_newer, train
from personalize_local.personalize.operations.solutions import schedule_days
from personalize_local.personalize.protocol.service_errors import ServiceError
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.records import Record

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR


def train_what_is_due(account: Account) -> float:
    """Begin the automatic trainings whose time has come; return when, if nothing changes, the next one's comes."""
    now = account.now()
    if not account.switches.automatic_training:
        return now
    solutions = [each for each in account.all("solution", performAutoTraining=True) if each.is_active(now)]
    for solution in solutions:
        if now >= _due(account, solution, now):
            _train(account, solution, now)
    return min((_due(account, solution, now) for solution in solutions), default=math.inf)


def _due(account: Account, solution: Record, now: float) -> float:
    """Return when the next training is to begin: an hour after the start, or a period after the last version.

    A changed schedule starts anew: the next training is within the hour.
    """
    reset = solution.point(now).since
    if solution.update is not None and "solutionUpdateConfig" in solution.update.changes:
        reset = max(reset, solution.touched)
    versions = [version.created for version in account.all("solution_version", solutionArn=solution.arn)]
    marks = [mark for mark in (*versions, solution.notes.get("skippedAt", 0.0)) if mark >= reset]
    return max(marks) + schedule_days(solution) * _DAY if marks else reset + _HOUR


def _train(account: Account, solution: Record, now: float) -> None:
    """Train when there is something new to learn and room to do it; else wait for the next date."""
    versions = [version.created for version in account.all("solution_version", solutionArn=solution.arn)]
    if not _has_new_data(account, solution, max(versions, default=0.0)):
        if versions:
            solution.notes["skippedAt"] = now
        return
    try:
        account.require_quota("solution_version")
    except ServiceError:
        return
    train(account, solution, {"trainingMode": "FULL", "trainingType": "AUTOMATIC"})


def _has_new_data(account: Account, solution: Record, since: float) -> bool:
    dataset = of_group(account, solution.group_arn).get("INTERACTIONS")
    return dataset is not None and is_newer(account, dataset, since)
