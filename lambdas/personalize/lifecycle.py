"""Observe a resource: its phase, the service's own reason, and what an update would have to change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from lambdas.personalize.avro_schema import same_columns
from lambdas.personalize.resources import ResourceType


class Phase(StrEnum):
    """Where a resource stands, in the words the state machines branch on."""

    ABSENT = "ABSENT"
    CHANGING = "CHANGING"
    READY = "READY"
    OUTDATED = "OUTDATED"
    REPLACEABLE = "REPLACEABLE"  # has to go, and may, before it can be made as asked
    STOPPED = "STOPPED"  # and was asked to run
    RUNNING = "RUNNING"  # and was asked to be stopped
    FAILED = "FAILED"


@dataclass(frozen=True)
class Desired:
    """What somebody asks of a resource: its Create parameters, and what may be done to reach them."""

    request: Mapping[str, Any]
    replace: bool = False  # delete and create again what cannot be changed in place, where that loses no data
    active: bool | None = True  # or stopped, where the type can be; None: either, it has a timetable


@dataclass(frozen=True)
class Observation:
    """What one look at a resource told. `began` is when the change under way began, where one is."""

    phase: Phase
    status: str = ""
    reason: str = ""
    began: datetime | None = None


_INACTIVE: Final = "INACTIVE"
_CHANGING: Final = (" PENDING", " IN_PROGRESS", " STOPPING")
_CHANGING_JOBS: Final = ("PENDING", "IN_PROGRESS", "IN PROGRESS")
_READY: Final = ("ACTIVE", "COMPLETED", _INACTIVE)

# Not compared with what was asked as a fixed part: tags and metrics can be changed, and the service answers the names
# of hyperparameter ranges with prefixes of its own.
_NOT_COMPARED: Final = frozenset({"tags", "metrics", "hpoConfig"})
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
    row: ResourceType, desired: Desired, described: Mapping[str, Any] | None, run_began: datetime
) -> Observation:
    """Return what `described` (the service's Describe answer, and its tags) means for what is desired.

    What failed before `run_began` is made or updated again; what failed since then is a failure.
    """
    if described is None:
        return _observe_absent(row, desired)
    status = str(described["status"]) if row.has_status else "ACTIVE"
    phase = phase_of(status)
    if phase is Phase.CHANGING:
        change = described.get(row.update_key, described) if status.startswith("UPDATE") else described
        return Observation(phase, status, began=change["creationDateTime"])
    if status == "CREATE FAILED" and row.deletable:
        return _observe_never_made(row, desired, described, run_began)
    if row.stoppable and (status == _INACTIVE) == desired.active:
        return Observation(Phase.STOPPED if desired.active else Phase.RUNNING, status)
    if phase is Phase.FAILED and not (status.endswith("FAILED") and changes(row, desired.request, described)):
        return Observation(phase, status, failure_reason(row, status, described))
    return _observe_existing(row, desired, described, status, run_began)


def _observe_absent(row: ResourceType, desired: Desired) -> Observation:
    if desired.active is False:
        return Observation(Phase.FAILED, reason=f"there is no {row.noun} of that name to stop")
    return Observation(Phase.ABSENT)


def _observe_never_made(
    row: ResourceType, desired: Desired, described: Mapping[str, Any], run_began: datetime
) -> Observation:
    """Judge what ended CREATE FAILED. It never served and holds nothing; its name is free once it is deleted."""
    status = str(described["status"])
    wanted, actual = _parent_arn(row, desired.request), _parent_arn(row, described)
    if wanted and actual and wanted != actual:
        reason = f"it belongs to {actual}, not to {wanted}: remove it, or ask for another name"
        return Observation(Phase.FAILED, status, f"{failure_reason(row, status, described)} ({reason})")
    if described["lastUpdatedDateTime"] < run_began:
        return Observation(Phase.REPLACEABLE, status, failure_reason(row, status, described))
    return Observation(Phase.FAILED, status, failure_reason(row, status, described))


def _parent_arn(row: ResourceType, values: Mapping[str, Any]) -> str:
    """Return the ARN of what a resource belongs to, as its Create parameters or its description tell."""
    if row.noun == "campaign":
        return str(values.get("solutionVersionArn", "")).rpartition("/")[0]
    return str(values.get(row.parent_key or "", ""))


def _observe_existing(
    row: ResourceType, desired: Desired, described: Mapping[str, Any], status: str, run_began: datetime
) -> Observation:
    update = described.get(row.update_key) if row.updatable else None
    if update and phase_of(update["status"]) is Phase.CHANGING:
        return Observation(Phase.CHANGING, update["status"], began=update["creationDateTime"])
    if conflict := conflict_with(row, desired, described):
        return Observation(Phase.REPLACEABLE if row.replaceable and desired.replace else Phase.FAILED, status, conflict)
    wanted = changes(row, desired.request, described)
    if not wanted:
        return Observation(Phase.READY, status)
    if update and phase_of(update["status"]) is Phase.FAILED and update["creationDateTime"] >= run_began:
        return Observation(Phase.FAILED, update["status"], failure_reason(row, update["status"], update))
    if status == "UPDATE FAILED" and not row.tells_update and described["lastUpdatedDateTime"] >= run_began:
        return Observation(Phase.FAILED, status, failure_reason(row, status, described))
    return Observation(Phase.OUTDATED, status)


def failure_reason(row: ResourceType, status: str, described: Mapping[str, Any]) -> str:
    """Return the service's reason, or the status it ended with when it gives none."""
    return str(described.get("failureReason") or f"{row.noun} ended as {status!r}; the service gives no reason")


def changes(row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the Update operation that bring `described` to `request`; empty when it is there.

    Among them are the `tags` that are missing or different, in the form of a Create operation. Other tags stay.
    """
    wanted, actual = _updatable_part(row, request), _updatable_part(row, described)
    differing = {key: value for key, value in wanted.items() if not covers(actual.get(key), value)}
    differing |= _changed_metrics(request.get("metrics"), described.get("metrics", ()))
    if described.get("status") == _INACTIVE:  # the service changes only what runs; it is changed when it is started
        differing = {}
    tags = [tag for tag in request.get("tags", ()) if tag not in described.get("tags", request["tags"])]
    return {**differing, "tags": tags} if tags else differing


def _changed_metrics(wanted: Sequence[Mapping[str, Any]] | None, actual: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what UpdateMetricAttribution is asked; a metric that differs goes and comes again."""
    if wanted is None:
        return {}
    added = [metric for metric in wanted if metric not in actual]
    removed = [metric["metricName"] for metric in actual if metric not in wanted]
    return {**({"addMetrics": added} if added else {}), **({"removeMetrics": removed} if removed else {})}


def conflict_with(row: ResourceType, desired: Desired, described: Mapping[str, Any]) -> str:
    """Return why the existing resource can never become what is desired, or an empty string when it can.

    A name counts where a parent has one resource of the type and the name shall be replaced: until then, whatever its
    name, it is the one.
    """
    request = desired.request
    ignored = {row.name_key, row.arn_key, *row.updates, *_NOT_COMPARED}
    if row.sole and desired.replace:
        ignored.remove(row.name_key)
    for key, value in request.items():
        if key in ignored or key not in described:
            continue
        wanted = _fixed_part(value) if key == "solutionConfig" else value
        if not _agrees(key, described[key], wanted):
            return (
                f"{row.noun} {request.get(row.name_key, described.get(row.arn_key))!r} exists with {key} = "
                f"{_shown(described[key])}, but {_shown(wanted)} was asked. Amazon Personalize cannot change it: "
                f"{_way_out(row)}."
            )
    return ""


def _agrees(key: str, actual: Any, wanted: Any) -> bool:
    return covers(actual, wanted) or (key == "schema" and same_columns(actual, wanted))


def _way_out(row: ResourceType) -> str:
    if row.replaceable:
        return 'say "replace": true to have it deleted and made anew, ask for another name, or remove it first'
    return "ask for another name, or remove it first"


def _updatable_part(row: ResourceType, values: Mapping[str, Any]) -> dict[str, Any]:
    part = {key: values[key] for key in row.updates if key in values}
    if row.noun == "solution" and (config := values.get("solutionConfig")):
        # CreateSolution takes these as part of solutionConfig, UpdateSolution as a structure of their own.
        part["solutionUpdateConfig"] = {key: config[key] for key in _UPDATABLE_SOLUTION_CONFIG if key in config}
    return part


def _fixed_part(solution_config: Mapping[str, Any]) -> dict[str, Any]:
    left_out = _NOT_COMPARED.union(_UPDATABLE_SOLUTION_CONFIG)
    return {key: value for key, value in solution_config.items() if key not in left_out}


def covers(actual: Any, wanted: Any) -> bool:
    """Return whether `actual` says at least what `wanted` says (the service adds defaults of its own)."""
    if wanted is False and actual is None:  # a switch that nobody mentions is off
        return True
    if isinstance(wanted, Mapping):
        # What was made before its stage had a key has none, and gets none: like a dataset group it stays as it is.
        asked = {key: value for key, value in wanted.items() if key != "kmsKeyArn" or key in (actual or {})}
        return all(covers((actual or {}).get(key), value) for key, value in asked.items())
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
