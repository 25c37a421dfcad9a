"""Read the request of a run, however it was started, and plan the whole run."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from lambdas.bucket_layout import request_key
from lambdas.personalize.parameters import Problem
from lambdas.personalize.plan import Planner
from lambdas.personalize.request import InvalidRequestError, Request, Solution, Training, parse_request

ReadText = Callable[[str], str | None]

_LARGEST_STATE_BYTES: Final = 240_000  # of 262,144: the names of states and members around it take some
_DESCRIPTION_BYTES: Final = 1_000  # what the service answers about a resource beyond what it was created with
_OPTIONS: Final = (
    "datasetGroup", "request", "run", "train", "solution", "solutionVersionArn", "template", "input",
    "approve", "pin", "unpin", "rollback", "by", "why",
)  # fmt: skip


def load_request(given: Mapping[str, Any], read_text: ReadText) -> Request:
    """Return the request that an execution's input holds or names, with what the input says otherwise.

    A whole request may be given inline; otherwise ``{"datasetGroup": "movies"}`` names the one in the bucket, which
    `read_text` returns by key, or None when there is none. Raises InvalidRequestError.
    """
    request = _load(given, read_text)
    if "train" not in given or "datasets" in given:
        return request
    if given["train"] not in get_args(Training):
        allowed = ", ".join(get_args(Training))
        raise InvalidRequestError([Problem("$.train", f"{given['train']!r} is not one of {allowed}")])
    return request.model_copy(update={"train": given["train"]})


def _load(given: Mapping[str, Any], read_text: ReadText) -> Request:
    if isinstance(given.get("request"), str):  # a stage of a run: the key of what the run was planned from
        return parse_request(_document(given["request"], read_text))
    if "request" in given:
        return parse_request(given["request"])
    if "datasets" in given:
        return parse_request(
            {key: value for key, value in given.items() if key not in _OPTIONS or key in ("datasetGroup", "train")}
        )
    if unknown := sorted(set(given) - set(_OPTIONS)):
        allowed = ", ".join(_OPTIONS)
        raise InvalidRequestError([Problem("$", f"unknown key {', '.join(map(repr, unknown))}; allowed: {allowed}")])
    group = given.get("datasetGroup")
    if not isinstance(group, str):
        raise InvalidRequestError([Problem("$.datasetGroup", "give the dataset group's name, or a whole request")])
    request = parse_request(_document(request_key(group), read_text))
    if request.dataset_group.name != group:
        problem = Problem("$.datasetGroup.name", f"is {request.dataset_group.name!r} in {request_key(group)}")
        raise InvalidRequestError([problem])
    return request


def _document(key: str, read_text: ReadText) -> Any:
    text = read_text(key)
    if text is None:
        raise InvalidRequestError([Problem("$", f"the bucket has no {key}: upload it, or give the request inline")])
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidRequestError([Problem("$", f"{key} is no JSON: {error}")]) from error


def request_document(request: Request) -> str:
    """Return the request as JSON, complete: reading it again gives the same request."""
    return request.model_dump_json(by_alias=True, exclude_none=True)


def plan_pipeline(planner: Planner) -> dict[str, Any]:
    """Return the complete plan of a run. Raises InvalidRequestError if a state machine could not carry it."""
    plan = {
        "datasetGroup": planner.request.dataset_group.name,
        "run": planner.run,
        "import": planner.import_data(),
        "solutions": [_whole_plan(planner, solution) for solution in planner.request.solutions],
    }
    _check_size(plan)
    return plan


def _whole_plan(planner: Planner, solution: Solution) -> dict[str, Any]:
    later = "the version that will be trained"
    return {
        "name": solution.name,
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
