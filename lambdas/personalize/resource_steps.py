"""Take one step of a wait loop: look at a resource, create, update or delete it, and answer what was found.

What a step finds goes back into the state machine as ``$.found`` and comes with the next look, so that nothing is
asked twice: the ARN of what was created, and how long it is expected to take.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from lambdas.personalize.gateway import Personalize, last_change_seconds
from lambdas.personalize.lifecycle import Observation, Phase, changes, observe
from lambdas.personalize.resources import HOUR, MINUTE, QUICK, RESOURCES, ResourceType
from lambdas.personalize.wait_times import Expectation, expect, wait_seconds

_BUSY_WAIT_SECONDS: Final = 30  # something next to it is changing; that passes by itself
_QUOTA_WAIT_SECONDS: Final = MINUTE  # shorter than what uploads yield (uploads/import_state.py): all get a turn
# A try is fourteen events of the history, which ends at 25,000: so many fit, whatever a type's patience.
MOST_TRIES: Final = 1_400
_FREES_ITSELF: Final = re.compile(r"PENDING|IN.PROGRESS")


class UnknownResourceTypeError(ValueError):
    """The input's `type` is no row of the resource table."""


class NotDeletableError(ValueError):
    """Amazon Personalize has no operation that deletes this type of resource."""


class StillThereError(Exception):
    """The resource was not gone after all the time we had for it."""


@dataclass(frozen=True)
class ResourceStepInput:
    """What the state machine hands to a step: what is wanted, what the step before found, and the time."""

    row: ResourceType
    request: Mapping[str, Any]
    now: datetime
    run_began: datetime
    found: Mapping[str, Any] = field(default_factory=dict)
    yield_seconds: int = 0  # how long to leave a free place in the service's queue to others that wait for one

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "ResourceStepInput":
        """Return the input in a step's event: ``{"now", "run_began", "input": {"type", "request", …}}``."""
        given = event["input"]
        if given.get("type") not in RESOURCES:
            raise UnknownResourceTypeError(f"type is {given.get('type')!r}; it must be one of {', '.join(RESOURCES)}")
        return cls(
            row=RESOURCES[given["type"]],
            request=given["request"],
            now=datetime.fromisoformat(event["now"]),
            run_began=datetime.fromisoformat(event["run_began"]),
            found=given.get("found", {}),
            yield_seconds=given.get("yield_seconds", 0),
        )

    @property
    def expectation(self) -> Expectation | None:
        """How long the change is expected to take, when a step before has found out."""
        known = self.found.get("expectation")
        return Expectation(**known) if known else None


def find(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Return the resource's phase and, while it changes, how long to wait before the next look."""
    row = step.row
    if arn := step.found.get("arn"):
        described = personalize.describe(row, arn)
    else:
        described = personalize.find(row, step.request, step.now)
    observation = observe(row, step.request, described, step.run_began)
    if observation.phase in (Phase.READY, Phase.FAILED):
        return _found(row, observation, described)
    if late := _out_of_patience(step, observation):
        return _found(row, late, described)
    left_to_others = step.yield_seconds - int((step.now - step.run_began).total_seconds())
    if observation.phase is Phase.ABSENT and left_to_others > 0:
        return _found(
            row, Observation(Phase.CHANGING, reason="lets others go first"), described, seconds=left_to_others
        )
    expectation = step.expectation or _expectation(personalize, step, observation, described)
    age_seconds = (step.now - (observation.began or step.now)).total_seconds()
    return _found(row, observation, described, expectation, wait_seconds(age_seconds, expectation, row.cadence))


def create(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for the resource. Somebody else's create, a busy neighbour or a full queue only mean: look again."""
    try:
        arn = personalize.create(step.row, step.request)
    except personalize.errors.ResourceAlreadyExistsException as error:
        return _look_again(step, str(error), seconds=1)
    except personalize.errors.ResourceInUseException as error:
        return _look_again(step, str(error), _between_tries(step.row, _BUSY_WAIT_SECONDS))
    except personalize.errors.LimitExceededException as error:
        if not _FREES_ITSELF.search(str(error)):
            raise
        return _look_again(step, str(error), _between_tries(step.row, _QUOTA_WAIT_SECONDS))
    return {**_asked(step), "arn": arn}


def update(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for what differs between the resource and the request."""
    resource = step.found["resource"]
    try:
        personalize.update(step.row, step.found["arn"], changes(step.row, step.request, resource))
    except personalize.errors.ResourceInUseException as error:
        return _look_again(step, str(error), _between_tries(step.row, _BUSY_WAIT_SECONDS))
    return _asked(step)


def delete(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for the resource's deletion. One that is still referenced or changing means: look again."""
    row, arn = step.row, step.found["arn"]
    if not row.deletable:
        raise NotDeletableError(f"Amazon Personalize cannot delete a {row.noun}")
    if (step.now - step.run_began).total_seconds() > row.cadence.patience_seconds:
        raise StillThereError(f"{arn} is still there: {step.found.get('reason') or step.found['status']}")
    try:
        personalize.delete(row, arn)
    except personalize.errors.ResourceInUseException as error:
        return _look_again(step, str(error), _between_tries(step.row, _BUSY_WAIT_SECONDS))
    except personalize.errors.ResourceNotFoundException as error:
        return _look_again(step, str(error), seconds=1)
    return _look_again(step, "", QUICK.typical_seconds)


def _between_tries(row: ResourceType, seconds: int) -> int:
    return max(seconds, math.ceil(row.cadence.patience_seconds / MOST_TRIES))


def _expectation(
    personalize: Personalize, step: ResourceStepInput, observation: Observation, described: Mapping[str, Any] | None
) -> Expectation:
    if observation.phase is Phase.OUTDATED:
        return expect(step.row.cadence, last_change_seconds(step.row, described))
    return expect(step.row.cadence, personalize.durations(step.row, step.request))


def _out_of_patience(step: ResourceStepInput, observation: Observation) -> Observation | None:
    waited_seconds = (step.now - step.run_began).total_seconds()
    if waited_seconds <= step.row.cadence.patience_seconds:
        return None
    last_seen = observation.status or step.found.get("reason") or "absent"
    reason = (
        f"{step.row.noun} was still {last_seen!r} after {waited_seconds / HOUR:.1f} hours. "
        "It goes on in Amazon Personalize; the next run attaches to it."
    )
    return Observation(Phase.FAILED, observation.status, reason)


def _found(
    row: ResourceType,
    observation: Observation,
    described: Mapping[str, Any] | None,
    expectation: Expectation | None = None,
    seconds: int = 0,
) -> dict[str, Any]:
    return {
        "phase": observation.phase,
        "arn": described[row.arn_key] if described else None,
        "status": observation.status,
        "reason": observation.reason,
        "wait_seconds": seconds,
        "expectation": asdict(expectation) if expectation else None,
        "resource": _jsonable(described),
    }


def _asked(step: ResourceStepInput) -> dict[str, Any]:
    """Return what is known right after the service accepted a create or update."""
    row, expectation = step.row, step.expectation
    seconds = wait_seconds(0, expectation, row.cadence) if expectation and row.has_status else 0
    return {**step.found, "phase": Phase.CHANGING, "wait_seconds": seconds, "reason": ""}


def _look_again(step: ResourceStepInput, reason: str, seconds: int) -> dict[str, Any]:
    return {**step.found, "phase": Phase.CHANGING, "wait_seconds": seconds, "reason": reason}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_jsonable(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
