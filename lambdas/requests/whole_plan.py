"""Plan a whole run, and refuse one that a state machine could not carry."""

import json
from collections.abc import Mapping
from typing import Any, Final

from lambdas.requests.parameters import Problem
from lambdas.requests.plan import Planner
from lambdas.requests.request import InvalidRequestError, Solution
from lambdas.requests.schedules.planned_schedules import planned_schedules

_LARGEST_STATE_BYTES: Final = 228_000  # of 262,144: the preview, and the names of states and members around it
_DESCRIPTION_BYTES: Final = 1_000  # what the service answers about a resource beyond what it was created with


def plan_pipeline(planner: Planner, only: str | None = None) -> dict[str, Any]:
    """Return the complete plan of a run, of `only` one solution where one is named.

    Raises InvalidRequestError if there is no such solution, or if a state machine could not carry the plan.
    """
    solutions = [solution for solution in planner.request.solutions if only in (None, solution.name)]
    if only is not None and not solutions:
        raise InvalidRequestError([Problem("$.solution", f"the request has no solution {only!r}")])
    plan = {
        "datasetGroup": planner.request.dataset_group.name,
        "run": planner.run,
        "import": {**planner.import_data(), "schedules": planned_schedules(planner)},
        "solutions": [_whole_plan(planner, solution) for solution in solutions],
    }
    _check_size(plan)
    return plan


def _whole_plan(planner: Planner, solution: Solution) -> dict[str, Any]:
    later = "the version that will be trained"
    return {
        **planner.train_solution(solution),
        **planner.update_campaign(solution, later),
        **planner.run_batch_inference(solution, later),
    }


def _check_size(plan: Mapping[str, Any]) -> None:
    """Refuse what the service's descriptions of all resources would make too large for a state.

    Found out after the trainings, it would have cost them: Step Functions ends an execution whose state passes 256 KB.
    """
    things = sum(len(each["campaigns"]) + len(each["jobs"]) + 1 for each in plan["solutions"])
    expected = len(json.dumps(plan).encode()) + _DESCRIPTION_BYTES * things
    if expected > _LARGEST_STATE_BYTES:
        problem = f"is too much for one run: its plan and results would take {expected:,} bytes, Step Functions passes"
        raise InvalidRequestError(
            [Problem("$.solutions", f"{problem} {_LARGEST_STATE_BYTES:,}; give fewer solutions, campaigns or jobs")]
        )
