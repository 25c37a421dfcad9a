"""Observe a resource: its phase, the service's own reason, and what an update would have to change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from lambdas.personalize.resources import ResourceType


class Phase(StrEnum):
    """Where a resource stands, in the words the state machines branch on."""

    ABSENT = "ABSENT"
    CHANGING = "CHANGING"
    READY = "READY"
    OUTDATED = "OUTDATED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Observation:
    """What one look at a resource told. `began` is when the change under way began, where one is."""

    phase: Phase
    status: str = ""
    reason: str = ""
    began: datetime | None = None


_CHANGING: Final = (" PENDING", " IN_PROGRESS", " STOPPING")
_CHANGING_JOBS: Final = ("PENDING", "IN_PROGRESS", "IN PROGRESS")
_READY: Final = ("ACTIVE", "COMPLETED")

# Not compared with what was asked: tags are told by no Describe operation, and the service answers the names of
# hyperparameter ranges with prefixes of its own.
_NOT_COMPARED: Final = frozenset({"tags", "hpoConfig"})
_LONGEST_SHOWN: Final = 200
_UPDATABLE_SOLUTION_CONFIG: Final = ("autoTrainingConfig", "eventsConfig")


def phase_of(status: str) -> Phase:
    """Return the phase a status word stands for; a word we do not know is a failure, never an endless wait."""
    if status in _READY:
        return Phase.READY
    if status in _CHANGING_JOBS or status.endswith(_CHANGING):
        return Phase.CHANGING
    return Phase.FAILED


def observe(
    row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any] | None, run_began: datetime
) -> Observation:
    """Return what `described` (the service's Describe answer) means for somebody who asked for `request`.

    An update that failed before `run_began` is tried again; one that failed since then is a failure.
    """
    if described is None:
        return Observation(Phase.ABSENT)
    if not row.has_status:
        return _observe_existing(row, request, described, "ACTIVE", run_began)
    status = str(described["status"])
    phase = phase_of(status)
    if phase is Phase.CHANGING:
        change = described.get(row.update_key, described) if status.startswith("UPDATE") else described
        return Observation(phase, status, began=change["creationDateTime"])
    if phase is Phase.FAILED and not (status.endswith("FAILED") and changes(row, request, described)):
        return Observation(phase, status, failure_reason(row, status, described))
    return _observe_existing(row, request, described, status, run_began)


def _observe_existing(
    row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any], status: str, run_began: datetime
) -> Observation:
    update = described.get(row.update_key) if row.updatable else None
    if update and phase_of(update["status"]) is Phase.CHANGING:
        return Observation(Phase.CHANGING, update["status"], began=update["creationDateTime"])
    if conflict := conflict_with(row, request, described):
        return Observation(Phase.FAILED, status, conflict)
    wanted = changes(row, request, described)
    if not wanted:
        return Observation(Phase.READY, status)
    if update and phase_of(update["status"]) is Phase.FAILED and update["creationDateTime"] >= run_began:
        return Observation(Phase.FAILED, update["status"], failure_reason(row, update["status"], update))
    return Observation(Phase.OUTDATED, status)


def failure_reason(row: ResourceType, status: str, described: Mapping[str, Any]) -> str:
    """Return the service's reason, or the status it ended with when it gives none."""
    return str(described.get("failureReason") or f"{row.noun} ended as {status!r}; the service gives no reason")


def changes(row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the Update operation that bring `described` to `request`; empty when it is there."""
    wanted, actual = _updatable_part(row, request), _updatable_part(row, described)
    return {key: value for key, value in wanted.items() if not _covers(actual.get(key), value)}


def conflict_with(row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """Return why the existing resource can never become what `request` asks, or an empty string when it can."""
    ignored = {row.name_key, row.arn_key, *row.updates, *_NOT_COMPARED}
    for key, value in request.items():
        if key in ignored or key not in described:
            continue
        wanted = _fixed_part(value) if key == "solutionConfig" else value
        if not _covers(described[key], wanted):
            return (
                f"{row.noun} {request.get(row.name_key, described.get(row.arn_key))!r} exists with {key} = "
                f"{_shown(described[key])}, but {_shown(wanted)} was asked. Amazon Personalize cannot change it: "
                "ask for another name, or remove it first."
            )
    return ""


def _updatable_part(row: ResourceType, values: Mapping[str, Any]) -> dict[str, Any]:
    part = {key: values[key] for key in row.updates if key in values}
    if row.noun == "solution" and (config := values.get("solutionConfig")):
        # CreateSolution takes these as part of solutionConfig, UpdateSolution as a structure of their own.
        part["solutionUpdateConfig"] = {key: config[key] for key in _UPDATABLE_SOLUTION_CONFIG if key in config}
    return part


def _fixed_part(solution_config: Mapping[str, Any]) -> dict[str, Any]:
    left_out = _NOT_COMPARED.union(_UPDATABLE_SOLUTION_CONFIG)
    return {key: value for key, value in solution_config.items() if key not in left_out}


def _covers(actual: Any, wanted: Any) -> bool:
    """Return whether `actual` says at least what `wanted` says (the service adds defaults of its own)."""
    if isinstance(wanted, Mapping):
        return all(_covers((actual or {}).get(key), value) for key, value in wanted.items())
    if isinstance(wanted, str) and isinstance(actual, str) and wanted != actual:
        return _same_json(actual, wanted) or (
            wanted.endswith("/$LATEST") and actual.startswith(wanted[: -len("$LATEST")])
        )
    return bool(actual == wanted)


def _same_json(one: str, other: str) -> bool:
    """Return whether two texts are the same JSON document: a schema is one, whatever its white space."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
