"""Read a request: from an execution's input, from the bucket, or what is left of one that is wrong."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import ValidationError

from lambdas.bucket_layout import request_key
from lambdas.requests.parameters import Problem
from lambdas.requests.request import InvalidRequestError, Request, Solution
from lambdas.requests.sections import Training, TrainingMode

ReadText = Callable[[str], str | None]

_NAMES: Final = ("name", "template", "metric")
_MOST_ROUNDS: Final = 5
_OPTIONS: Final = (
    "datasetGroup", "request", "run", "train", "solution", "solutionVersionArn", "template", "input",
    "trainingMode", "schedule", "approve", "pin", "unpin", "rollback", "by", "why",
)  # fmt: skip


def load_request(given: Mapping[str, Any], read_text: ReadText) -> Request:
    """Return the request that an execution's input holds or names, with what the input says otherwise.

    A whole request may be given inline; otherwise ``{"datasetGroup": "movies"}`` names the one in the bucket, which
    `read_text` returns by key, or None when there is none. Raises InvalidRequestError.
    """
    request = _load(given, read_text)
    if "datasets" in given:
        return request
    for key, kind in (("train", Training), ("trainingMode", TrainingMode)):
        if key in given and given[key] not in get_args(kind):
            allowed = ", ".join(get_args(kind))
            raise InvalidRequestError([Problem(f"$.{key}", f"{given[key]!r} is not one of {allowed}")])
    solutions = tuple(_in_mode(solution, given) for solution in request.solutions)
    return request.model_copy(update={"train": given.get("train", request.train), "solutions": solutions})


def _in_mode(solution: Solution, given: Mapping[str, Any]) -> Solution:
    """Return the solution as this run trains it: in the mode that the input says, if it is about this one."""
    if "trainingMode" not in given or given.get("solution", solution.name) != solution.name:
        return solution
    is_update = given["trainingMode"] == "UPDATE"
    full_every_days = solution.full_every_days if is_update else None
    return solution.model_copy(update={"training_mode": given["trainingMode"], "full_every_days": full_every_days})


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


def parse_request(document: Any) -> Request:
    """Return the request in a JSON document; raises InvalidRequestError naming each wrong place."""
    try:
        return Request.model_validate(document)
    except ValidationError as error:
        raise InvalidRequestError([_problem(detail) for detail in error.errors()], _readable(document)) from error


def _readable(document: Any) -> Request | None:
    """Return the request without what is wrong with it; places in lists stay, so that paths stay true."""
    rest = copy.deepcopy(document)
    for _ in range(_MOST_ROUNDS):
        try:
            return Request.model_validate(rest)
        except ValidationError as error:
            for number, detail in enumerate(error.errors()):
                if not _mend(rest, detail["loc"], f"unreadable-{number}"):
                    return None
    return None


def _mend(document: Any, path: Sequence[int | str], name: str) -> bool:
    """Take the value at `path` out, or give what needs a name some name; False when that cannot help."""
    *parents, last = [step for step in path if step != "[key]"] or [""]
    for step in parents:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(document, list) and path:  # what is wrong is wrong as a whole; its place stays
        document[int(last)] = {}
        return True
    if not isinstance(document, dict) or (last not in document and last not in _NAMES):
        return False
    if last in _NAMES:
        document[last] = name
    else:
        del document[last]
    return True


def _problem(detail: Mapping[str, Any]) -> Problem:
    path = "$" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in detail["loc"] if step != "[key]"
    )
    shown = "" if detail["type"] in ("missing", "value_error") else f" (found {detail['input']!r})"
    return Problem(path, detail["msg"].removeprefix("Value error, ") + shown)
