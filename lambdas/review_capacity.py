"""Find campaigns and recommenders that serve nobody: started by a schedule."""

from datetime import datetime
from typing import Any, Final

from lambdas import wiring
from lambdas.bucket_layout import REQUESTS, GroupRequest, parse_key
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.idle_review import IdleFinding
from lambdas.costs.price_table import load_prices
from lambdas.gateways.concurrency import each_named
from lambdas.notices.stage_events import IdleCapacity, IdleCapacityItem
from lambdas.requests.group_policies import idle_policy

objects, events, review = wiring.objects(), wiring.event_bus(), wiring.idle_review()
costs = CostEstimator(load_prices())

_SHOWN: Final = 5  # troubles in an error's text


class ReviewIncompleteError(Exception):
    """Some group could not be reviewed; the rest was, and the next review tries again."""


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return ``{"idle"}``: by group, what nobody asked anything for as long as its request says.

    Each finding is told once, on the stage's bus. `event` is the schedule's own, or any with a `time`.
    Raises ReviewIncompleteError.
    """
    now = datetime.fromisoformat(event["time"])
    meanings = map(parse_key, objects.keys(REQUESTS))
    groups = {one.group: one.group for one in meanings if isinstance(one, GroupRequest)}
    found, troubles = each_named(lambda group: _review(group, now), groups)
    idle = {group: [one.document() for one in findings] for group, findings in found.items() if findings}
    wiring.logger.info("reviewed", extra={"idle": idle})
    wiring.count("IdleCapacity", sum(map(len, idle.values())))
    if troubles:
        raise ReviewIncompleteError(f"{len(troubles)} group(s) could not be reviewed: {'; '.join(troubles[:_SHOWN])}")
    return {"idle": idle}


def _review(group: str, now: datetime) -> list[IdleFinding]:
    policy = idle_policy(objects, group)
    if policy is None:
        return []
    found = review.review(group, policy, costs, now)
    if found:
        idle = [IdleCapacityItem.model_validate(one.document()) for one in found]
        events.put(IdleCapacity(dataset_group=group, currency=costs.prices.currency, idle=idle))
    return found
