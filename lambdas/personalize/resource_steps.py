"""The steps of the wait loops: look at a resource, create, update or delete it. Each answers with what was found.

What a step finds goes back into the state machine as ``$.found`` and comes with the next look, so that nothing is
asked twice: the ARN of what was created, and how long it is expected to take.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from lambdas.personalize.gateway import Gateway, last_change_seconds
from lambdas.personalize.lifecycle import Phase, Sight, changes, observe
from lambdas.personalize.resources import HOUR, MINUTE, QUICK, RESOURCES, ResourceType
from lambdas.personalize.waiting import Expectation, expect, wait_seconds

_BUSY_WAIT_SECONDS: Final = 30  # something next to it is changing; that passes by itself
_QUOTA_WAIT_SECONDS: Final = (
    MINUTE  # shorter than what uploads yield (uploads/import_state.py): all get a turn
)
_FREES_ITSELF: Final = re.compile(r"PENDING|IN.PROGRESS")


class UnknownResourceTypeError(ValueError):
    """The input's `type` is no row of the resource table."""


class NotDeletableError(ValueError):
    """Amazon Personalize has no operation that deletes this type of resource."""


class StillThereError(Exception):
    """The resource was not gone after all the time we had for it."""


@dataclass(frozen=True)
class Errand:
    """What the state machine hands to a step: the wish, what the step before found, and the time."""

    row: ResourceType
    request: Mapping[str, Any]
    now: datetime
    run_began: datetime
    found: Mapping[str, Any] = field(default_factory=dict)
    yield_seconds: int = 0  # how long to leave a free place in the service's queue to others that wait for one

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Errand":
        """Return the errand in a step's event: ``{"now", "run_began", "input": {"type", "request", …}}``."""
        wish = event["input"]
        if wish.get("type") not in RESOURCES:
            raise UnknownResourceTypeError(f"type is {wish.get('type')!r}; it must be one of {', '.join(RESOURCES)}")
        return cls(
            row=RESOURCES[wish["type"]],
            request=wish["request"],
            now=datetime.fromisoformat(event["now"]),
            run_began=datetime.fromisoformat(event["run_began"]),
            found=wish.get("found", {}),
            yield_seconds=wish.get("yield_seconds", 0),
        )

    @property
    def expectation(self) -> Expectation | None:
        """How long the change is expected to take, when a step before has found out."""
        known = self.found.get("expectation")
        return Expectation(**known) if known else None


def look(gateway: Gateway, errand: Errand) -> dict[str, Any]:
    """Return the resource's phase and, while it changes, how long to wait before the next look."""
    row = errand.row
    if arn := errand.found.get("arn"):
        described = gateway.describe(row, arn)
    else:
        described = gateway.find(row, errand.request, errand.now)
    sight = observe(row, errand.request, described, errand.run_began)
    if sight.phase in (Phase.READY, Phase.FAILED):
        return _found(row, sight, described)
    if late := _out_of_patience(errand, sight):
        return _found(row, late, described)
    left_to_others = errand.yield_seconds - int((errand.now - errand.run_began).total_seconds())
    if sight.phase is Phase.ABSENT and left_to_others > 0:
        return _found(row, Sight(Phase.CHANGING, reason="lets others go first"), described, seconds=left_to_others)
    expectation = errand.expectation or _expectation(gateway, errand, sight, described)
    age_seconds = (errand.now - (sight.began or errand.now)).total_seconds()
    return _found(row, sight, described, expectation, wait_seconds(age_seconds, expectation, row.cadence))


def create(gateway: Gateway, errand: Errand) -> dict[str, Any]:
    """Ask for the resource. Somebody else's create, a busy neighbour or a full queue only mean: look again."""
    try:
        arn = gateway.create(errand.row, errand.request)
    except gateway.errors.ResourceAlreadyExistsException as error:
        return _look_again(errand, str(error), seconds=1)
    except gateway.errors.ResourceInUseException as error:
        return _look_again(errand, str(error), _BUSY_WAIT_SECONDS)
    except gateway.errors.LimitExceededException as error:
        if not _FREES_ITSELF.search(str(error)):
            raise
        return _look_again(errand, str(error), _QUOTA_WAIT_SECONDS)
    return {**_asked(errand), "arn": arn}


def update(gateway: Gateway, errand: Errand) -> dict[str, Any]:
    """Ask for what differs between the resource and the request."""
    resource = errand.found["resource"]
    try:
        gateway.update(errand.row, errand.found["arn"], changes(errand.row, errand.request, resource))
    except gateway.errors.ResourceInUseException as error:
        return _look_again(errand, str(error), _BUSY_WAIT_SECONDS)
    return _asked(errand)


def delete(gateway: Gateway, errand: Errand) -> dict[str, Any]:
    """Ask for the resource's deletion. One that is still referenced or changing means: look again."""
    row, arn = errand.row, errand.found["arn"]
    if not row.deletable:
        raise NotDeletableError(f"Amazon Personalize cannot delete a {row.noun}")
    if (errand.now - errand.run_began).total_seconds() > row.cadence.patience_seconds:
        raise StillThereError(f"{arn} is still there: {errand.found.get('reason') or errand.found['status']}")
    try:
        gateway.delete(row, arn)
    except gateway.errors.ResourceInUseException as error:
        return _look_again(errand, str(error), _BUSY_WAIT_SECONDS)
    except gateway.errors.ResourceNotFoundException as error:
        return _look_again(errand, str(error), seconds=1)
    return _look_again(errand, "", QUICK.typical_seconds)


def _expectation(gateway: Gateway, errand: Errand, sight: Sight, described: Mapping[str, Any] | None) -> Expectation:
    if sight.phase is Phase.OUTDATED:
        return expect(errand.row.cadence, last_change_seconds(errand.row, described))
    return expect(errand.row.cadence, gateway.durations(errand.row, errand.request))


def _out_of_patience(errand: Errand, sight: Sight) -> Sight | None:
    waited_seconds = (errand.now - errand.run_began).total_seconds()
    if waited_seconds <= errand.row.cadence.patience_seconds:
        return None
    last_seen = sight.status or errand.found.get("reason") or "absent"
    reason = (
        f"{errand.row.noun} was still {last_seen!r} after {waited_seconds / HOUR:.1f} hours. "
        "It goes on in Amazon Personalize; the next run attaches to it."
    )
    return Sight(Phase.FAILED, sight.status, reason)


def _found(
    row: ResourceType,
    sight: Sight,
    described: Mapping[str, Any] | None,
    expectation: Expectation | None = None,
    seconds: int = 0,
) -> dict[str, Any]:
    return {
        "phase": sight.phase,
        "arn": described[row.arn_key] if described else None,
        "status": sight.status,
        "reason": sight.reason,
        "wait_seconds": seconds,
        "expectation": asdict(expectation) if expectation else None,
        "resource": _jsonable(described),
    }


def _asked(errand: Errand) -> dict[str, Any]:
    """Return what is known right after the service accepted a create or update."""
    row, expectation = errand.row, errand.expectation
    seconds = wait_seconds(0, expectation, row.cadence) if expectation and row.has_status else 0
    return {**errand.found, "phase": Phase.CHANGING, "wait_seconds": seconds, "reason": ""}


def _look_again(errand: Errand, reason: str, seconds: int) -> dict[str, Any]:
    return {**errand.found, "phase": Phase.CHANGING, "wait_seconds": seconds, "reason": reason}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_jsonable(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
