"""Find what serves nobody, say so once, and lower or stop it where the request says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lambdas.costs.estimates import CostEstimator
from lambdas.costs.group_costs import ServingResource
from lambdas.costs.idle_resources import IdleResource, idle_resources, requests_since
from lambdas.gateways.cloud_watch import Counts
from lambdas.gateways.step_functions import Executions, execution_name
from lambdas.gateways.table import Table
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.budget import IdlePolicy

_LEAVE: Final = "leave"


@dataclass(frozen=True)
class IdleFinding:
    """What is idle since the last review, what it costs every month, and what is done about it."""

    noun: str
    name: str
    hours: float
    monthly: float | None
    done: str  # lower, stop or leave

    def document(self) -> dict[str, Any]:
        """Return the finding as an event tells it."""
        monthly = None if self.monthly is None else round(self.monthly, 2)
        return {"type": self.noun, "name": self.name, "hours": self.hours, "monthly": monthly, "done": self.done}


class KnownIdle:
    """Remembers what was found idle in a group, until it is asked again."""

    def __init__(self, table: Table, group: str) -> None:
        self._table = table
        self._partition = f"{group}#idle"

    def found(self) -> dict[str, str]:
        """Return what is known to be idle, by ARN, and when it was found."""
        return {str(item["entry"]): str(item["found"]) for item in self._table.entries(self._partition, "")}

    def note(self, arn: str, time: str) -> None:
        """Remember that something is idle."""
        self._table.update(self._partition, arn, put={"found": time})

    def forget(self, arn: str) -> None:
        """Forget it: it was asked again, or is another one now."""
        self._table.delete(self._partition, arn)


class IdleReview:
    """Reviews the groups whose requests have an idle policy."""

    def __init__(
        self,
        counts: Counts,
        table: Table,
        executions: Executions,
        ensure_resource_arn: str,
    ) -> None:
        self._counts = counts
        self._table = table
        self._executions = executions
        self._ensure_resource_arn = ensure_resource_arn

    def review(
        self, group: str, serving: Sequence[ServingResource], policy: IdlePolicy, costs: CostEstimator, now: datetime
    ) -> list[IdleFinding]:
        """Return what is newly idle of what the group has `serving`, and have it lowered or stopped as the policy says.

        What was found idle is left alone until it was asked again: a run that brings it back to what the request
        says is not undone.
        """
        known = KnownIdle(self._table, group)
        idle = {one.resource.arn: one for one in idle_resources(self._counts, serving, policy.hours, now)}
        there = {one.arn: one for one in serving}
        noted = known.found()
        for arn, found in list(noted.items()):
            if arn not in there or self._is_in_use(there[arn], found, now):
                known.forget(arn)
                del noted[arn]
        return [self._act(one, policy, costs, known, now) for arn, one in idle.items() if arn not in noted]

    def _is_in_use(self, resource: ServingResource, found: str, now: datetime) -> bool:
        since = datetime.fromisoformat(found)
        return resource.described["creationDateTime"] > since or requests_since(self._counts, resource, since, now) > 0

    def _act(
        self, idle: IdleResource, policy: IdlePolicy, costs: CostEstimator, known: KnownIdle, now: datetime
    ) -> IdleFinding:
        resource = idle.resource
        done, wanted = _remedy(resource, policy)
        if wanted:
            name = execution_name(resource.name, f"idle-{now.isoformat()}")
            self._executions.start(self._ensure_resource_arn, name, wanted)
        known.note(resource.arn, now.isoformat())  # at last: what failed before this is tried again
        monthly = costs.serving(resource.noun, resource.described, resource.recipe_arn).monthly
        return IdleFinding(resource.noun, resource.name, idle.hours, monthly, done)


def _remedy(resource: ServingResource, policy: IdlePolicy) -> tuple[str, dict[str, Any] | None]:
    """Return what is done about an idle resource, and the input of `ensure_resource` that does it."""
    row = RESOURCES[resource.noun]
    named = {row.arn_key: resource.arn}
    if policy.then == "STOP" and row.stoppable:
        return "stop", {"type": row.noun, "request": named, "active": False}
    if policy.then == "REPORT" or resource.requests_per_second <= 1:
        return _LEAVE, None
    if row.noun == "campaign":
        return "lower", {"type": row.noun, "request": {**named, "minProvisionedTPS": 1}}
    config = {**resource.described.get("recommenderConfig", {}), "minRecommendationRequestsPerSecond": 1}
    return "lower", {"type": row.noun, "request": {**named, "recommenderConfig": config}}
