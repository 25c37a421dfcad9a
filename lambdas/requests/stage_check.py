"""Refuse in a plan what belongs to another stage: names that are not this one's, and ARNs of what it may not touch."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.personalize.stage_names import StageNames
from lambdas.requests.parameters import Problem
from lambdas.requests.request import InvalidRequestError


def foreign_names(spec: Mapping[str, Any], path: str, names: StageNames, arn_prefix: str) -> Iterator[Problem]:
    """Yield what the stage may not name or touch among one resource's name and the ARNs in its parameters."""
    row, request = RESOURCES[spec["type"]], spec["request"]
    own = row.arn(arn_prefix, request) or ""
    if row.arn_key not in request and not names.covers_arn(own, arn_prefix):
        yield Problem(f"{path}.{row.name_key}", _refusal(own, arn_prefix))
    for place, arn in _texts(request, path):
        if not names.covers_arn(arn, arn_prefix):
            yield Problem(place, _refusal(arn, arn_prefix))


def own_names_only(plan: dict[str, Any], personalize: Personalize) -> dict[str, Any]:
    """Return a stage's plan, if the stage may touch all that is in it. Raises InvalidRequestError."""
    specs = _specs(plan, "$")
    problems = [
        problem
        for path, spec in specs
        for problem in foreign_names(spec, path, personalize.names, personalize.arn_prefix)
    ]
    if problems:
        raise InvalidRequestError(problems)
    return plan


def adoption_hint(arn: str) -> str:
    """Return what to do about an existing resource that has not the stage's prefix."""
    name = arn.split("/")[1]
    return f"to adopt it, add {name!r}, or a pattern like '{name[:3]}*', to adopted_names in config/<stage>.toml"


def _refusal(arn: str, arn_prefix: str) -> str:
    if not arn.startswith(f"{arn_prefix}:"):
        return f"{arn} is in another account, region or partition than this stage, {arn_prefix}"
    return f"{arn.split('/')[1]!r} is a name that this stage may not use: {adoption_hint(arn)}"


def _specs(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what is given to ensure_resource anywhere in a plan."""
    if isinstance(value, Mapping) and value.get("type") in RESOURCES and isinstance(value.get("request"), Mapping):
        yield path, value
        return
    for place, part in _parts(value, path):
        yield from _specs(part, place)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    for place, part in _parts(value, path):
        yield from _texts(part, place)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{path}.{key}", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"{path}[{position}]", part) for position, part in enumerate(value))
