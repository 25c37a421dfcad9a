"""Take one step of a wait loop: look at a resource, create, update, start or stop it, and answer what was found.

What a step finds goes back into the state machine as ``$.found`` and comes with the next look, so that nothing is
asked twice: the ARN of what was created, how long it is expected to take, and what this run changed.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from lambdas.personalize.gateway import Personalize, last_change_seconds
from lambdas.personalize.lifecycle import Desired, Observation, Phase, changes, observe, phase_of
from lambdas.personalize.resources import HOUR, MINUTE, RESOURCES, ResourceType
from lambdas.personalize.wait_times import Expectation, expect, wait_seconds

BUSY_WAIT_SECONDS: Final = 30  # something next to it is changing; that passes by itself
_QUOTA_WAIT_SECONDS: Final = MINUTE  # shorter than what uploads yield (uploads/import_state.py): all get a turn
# A try is fourteen events of the history, which ends at 25,000: so many fit, whatever a type's patience.
MOST_TRIES: Final = 1_400
_MOST_TAGS: Final = 50  # the service's limit for one resource
_FREES_ITSELF: Final = re.compile(r"PENDING|IN.PROGRESS")


class UnknownResourceTypeError(ValueError):
    """The input's `type` is no row of the resource table."""


@dataclass(frozen=True)
class ResourceStepInput:
    """What the state machine hands to a step: what is wanted, what the step before found, and the time."""

    row: ResourceType
    desired: Desired
    now: datetime
    run_began: datetime
    found: Mapping[str, Any] = field(default_factory=dict)
    yield_seconds: int = 0  # how long to leave a free place in the service's queue to others that wait for one

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "ResourceStepInput":
        """Return the input in a step's event: ``{"now", "run_began", "input": {"type", "request", …}}``.

        Raises UnknownResourceTypeError.
        """
        given = event["input"]
        if given.get("type") not in RESOURCES:
            raise UnknownResourceTypeError(f"type is {given.get('type')!r}; it must be one of {', '.join(RESOURCES)}")
        return cls(
            row=RESOURCES[given["type"]],
            desired=Desired(given["request"], given.get("replace", False), given.get("active", True)),
            now=datetime.fromisoformat(event["now"]),
            run_began=datetime.fromisoformat(event["run_began"]),
            found=given.get("found", {}),
            yield_seconds=given.get("yield_seconds", 0),
        )

    @property
    def request(self) -> Mapping[str, Any]:
        """The Create parameters that the resource shall have."""
        return self.desired.request

    @property
    def expectation(self) -> Expectation | None:
        """How long the change is expected to take, when a step before has found out."""
        known = self.found.get("expectation")
        return Expectation(**known) if known else None


def find(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Return the resource's phase and, while it changes, how long to wait before the next look.

    What this run changed is kept, and the first refusal to delete it, for whoever asks why it is still there.
    """
    kept = {key: step.found[key] for key in ("change", "refusal") if key in step.found}
    return {"change": "NONE", **_find(personalize, step), **kept}


def _find(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    row = step.row
    described = with_tags(personalize, row, step.request, _describe(personalize, step))
    observation = observe(row, step.desired, described, step.run_began)
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
    """Ask for the resource. Somebody else's create, a busy neighbour or a full queue only mean: look again.

    Of a create whose answer was lost, the second try hears that the resource exists: it counts as created by this run.
    """
    try:
        arn = personalize.create(step.row, step.request)
    except personalize.errors.ResourceAlreadyExistsException as error:
        return {**look_again(step, str(error), seconds=1), "change": "CREATED"}
    except personalize.errors.ResourceInUseException as error:
        return look_again(step, str(error), between_tries(step.row, BUSY_WAIT_SECONDS))
    except personalize.errors.LimitExceededException as error:
        if not _FREES_ITSELF.search(str(error)):
            raise
        return look_again(step, str(error), between_tries(step.row, _QUOTA_WAIT_SECONDS))
    return {**_asked(step), "arn": arn, "change": "CREATED"}


def owned(step: ResourceStepInput, tag: Mapping[str, str]) -> ResourceStepInput:
    """Return the step with a tag that says whose the resource is; where all fifty places are taken, without."""
    tags = step.request.get("tags", ())
    if not step.row.taggable or len(tags) >= _MOST_TAGS or tag["tagKey"] in {one["tagKey"] for one in tags}:
        return step
    return replace(step, desired=replace(step.desired, request={**step.request, "tags": [*tags, dict(tag)]}))


def update(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for what differs between the resource and the request: its tags, then what its Update operation takes."""
    arn, parameters = step.found["arn"], changes(step.row, step.request, step.found["resource"])
    if tags := parameters.pop("tags", None):
        personalize.tag(arn, tags)
    if not parameters:
        return {**look_again(step, "", seconds=1), "change": "UPDATED"}
    return _ask(personalize, step, lambda: personalize.update(step.row, arn, parameters), "UPDATED")


def start(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for a stopped resource to serve again."""
    return _ask(personalize, step, lambda: personalize.start(step.row, step.found["arn"]), "STARTED")


def stop(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for a resource to be stopped: it costs nothing more and is kept."""
    return _ask(personalize, step, lambda: personalize.stop(step.row, step.found["arn"]), "STOPPED")


def _ask(personalize: Personalize, step: ResourceStepInput, ask: Callable[[], None], change: str) -> dict[str, Any]:
    try:
        ask()
    except personalize.errors.ResourceInUseException as error:
        return look_again(step, str(error), between_tries(step.row, BUSY_WAIT_SECONDS))
    return {**_asked(step), "change": change}


def _describe(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any] | None:
    if arn := step.found.get("arn"):
        return personalize.describe(step.row, arn)
    return personalize.find(step.row, step.request, step.now)


def with_tags(
    personalize: Personalize, row: ResourceType, request: Mapping[str, Any], described: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Add the tags of a resource at rest to its description, when the request says what they should be."""
    if not described or not request.get("tags") or phase_of(described.get("status", "ACTIVE")) is not Phase.READY:
        return described
    return {**described, "tags": personalize.tags(described[row.arn_key])}


def between_tries(row: ResourceType, seconds: int) -> int:
    """Return how long to wait before asking again, such that a type's patience fits a machine's history."""
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


def look_again(step: ResourceStepInput, reason: str, seconds: int) -> dict[str, Any]:
    """Return what was known before, and why and when to look again."""
    return {**step.found, "phase": Phase.CHANGING, "wait_seconds": seconds, "reason": reason}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_jsonable(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
