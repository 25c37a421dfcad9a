"""Say what becomes of one resource, by the look that the run itself would take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from lambdas.costs.estimates import CostEstimator, Estimate, difference, provisioned
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Desired, Phase, changes, observe
from lambdas.personalize.resource_steps import with_tags
from lambdas.personalize.resources import HOUR, QUICK, RESOURCES, ResourceType
from lambdas.personalize.wait_times import expect
from lambdas.requests.plan import ResourceSpec

LEAVE: Final = "leave"
REFUSE: Final = "refuse"
# No failure that is there now is the run's own, and what waits is imported after all that was; whatever a clock says,
# for a local cloud's goes its own way.
NEVER_YET: Final = datetime.max.replace(tzinfo=UTC)
_SWITCHED: Final = {Phase.STOPPED: ("start", "ACTIVE"), Phase.RUNNING: ("stop", "INACTIVE")}
_OUTCOMES: Final[Mapping[Phase, tuple[str, tuple[str, ...]]]] = {
    Phase.ABSENT: ("create", ("create",)),
    Phase.REPLACEABLE: ("replace", ("delete", "create")),
    Phase.CHANGING: ("wait", ()),
    Phase.FAILED: (REFUSE, ()),
    Phase.READY: (LEAVE, ()),
}


@dataclass(frozen=True)
class PlannedChange:
    """What becomes of one resource, why, and the calls that it takes: ``("create", "filter")``."""

    verb: str  # create, update, replace, start, stop, train, import, delete, wait, refuse or leave
    noun: str
    name: str
    reason: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    hours: float = 0  # that it is expected to take: as long as earlier ones did, or typically does; quick ones count 0
    estimate: Estimate = field(default_factory=Estimate)
    training_hours: float = 0  # that will be billed
    added_tps: int = 0  # requests per second that are paid for whether they come or not


class ChangePlanner:
    """Plans the change of one resource after another."""

    def __init__(self, personalize: Personalize, costs: CostEstimator, now: datetime) -> None:
        self._personalize = personalize
        self._costs = costs
        self._now = now

    def change(self, spec: ResourceSpec, recipe_arn: str | None = None) -> PlannedChange:
        """Return what becomes of one resource; `recipe_arn` is that of the solution a campaign belongs to."""
        row, request = RESOURCES[spec["type"]], spec["request"]
        desired = Desired(request, spec.get("replace", False), spec.get("active", True))
        described = self._described(row, request)
        name = str(request.get(row.name_key) or str(request.get(row.arn_key, "")).rpartition("/")[2])
        verb, reason, calls = self._next(row, desired, described)
        if not calls:
            return PlannedChange(verb, row.noun, name, reason)
        hours = self.hours(row, request)
        wanted = {**(described or {}), "status": "", **request} if desired.active else None
        before = self._costs.serving(row.noun, described, recipe_arn)
        estimate = difference(self._costs.serving(row.noun, wanted, recipe_arn), before)
        added = provisioned(row.noun, wanted) - provisioned(row.noun, described)
        return PlannedChange(verb, row.noun, name, reason, tuple(calls), hours, estimate, added_tps=added)

    def hours(self, row: ResourceType, request: Mapping[str, Any]) -> float:
        """Return how long it is expected to take to create what is asked."""
        if row.cadence is QUICK:
            return 0
        errors = self._personalize.errors
        try:
            durations = self._personalize.durations(row, request)
        except (errors.ResourceNotFoundException, errors.InvalidInputException):
            durations = ()  # of a parent that is made by this very run
        return expect(row.cadence, durations).seconds / HOUR

    def _next(
        self, row: ResourceType, desired: Desired, described: Mapping[str, Any] | None
    ) -> tuple[str, str, list[tuple[str, str]]]:
        observation, noun = observe(row, desired, described, NEVER_YET), row.noun
        if observation.phase is Phase.OUTDATED:
            return _update(row, desired.request, described or {})
        if observation.phase in _SWITCHED:
            verb, status = _SWITCHED[observation.phase]
            _, reason, calls = self._next(row, desired, {**(described or {}), "status": status})
            return verb, f"it is {observation.status}; {reason}".rstrip("; "), [(verb, noun), *calls]
        verb, verbs = _OUTCOMES[observation.phase]
        reason = observation.reason or ("" if verb == LEAVE else f"it is {observation.status or 'not there'}")
        return verb, reason, [(each, noun) for each in verbs]

    def _described(self, row: ResourceType, request: Mapping[str, Any]) -> dict[str, Any] | None:
        errors = self._personalize.errors
        try:
            described = self._personalize.find(row, request, self._now)
        except (errors.ResourceNotFoundException, errors.InvalidInputException):
            return None  # its parent is made by this very run
        return with_tags(self._personalize, row, request, described)


def predicted_calls(planned: Iterable[PlannedChange]) -> list[tuple[str, str]]:
    """Return the calls that change something, in the order of the run."""
    return [call for change in planned for call in change.calls]


def _update(
    row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any]
) -> tuple[str, str, list[tuple[str, str]]]:
    differing = changes(row, request, described)
    reason = ", ".join(f"{key} differs" for key in differing)
    tags = differing.pop("tags", None)
    calls = [("tag", row.noun)] if tags else []
    return "update", reason, [*calls, *([("update", row.noun)] if differing else [])]
