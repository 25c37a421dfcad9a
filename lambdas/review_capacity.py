"""Find campaigns and recommenders that serve nobody, and models that are old: started by a schedule."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from lambdas import wiring
from lambdas.bucket_layout import REQUESTS, GroupRequest, parse_key
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.group_costs import ServingResource, serving_resources
from lambdas.costs.idle_review import IdleFinding
from lambdas.costs.price_table import load_prices
from lambdas.gateways.concurrency import each_named
from lambdas.notices.stage_events import IdleCapacity, IdleCapacityItem
from lambdas.personalize.group_arn import group_arn_of
from lambdas.releases.model_age import ServingModel, serving_models
from lambdas.requests.budget import IdlePolicy
from lambdas.requests.group_policies import group_request

objects, events, review, personalize = (
    wiring.objects(),
    wiring.event_bus(),
    wiring.idle_review(),
    wiring.personalize(),
)
costs = CostEstimator(load_prices())

_SHOWN: Final = 5  # troubles in an error's text


class ReviewIncompleteError(Exception):
    """Some group could not be reviewed; the rest was, and the next review tries again."""


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return ``{"idle", "overdue"}`` by group: what serves nobody, and which campaigns serve an old model.

    How long is too long the group's request says. What is idle is told once, on the stage's bus.

    `event` is the schedule's own, or any with a `time`. Raises ReviewIncompleteError.
    """
    now = datetime.fromisoformat(event["time"])
    meanings = map(parse_key, objects.keys(REQUESTS))
    groups = {one.group: one.group for one in meanings if isinstance(one, GroupRequest)}
    found, troubles = each_named(lambda group: _review(group, now), groups)
    idle = {group: [one.document() for one in findings] for group, (findings, _, _) in found.items() if findings}
    overdue = {group: [one.campaign for one in late] for group, (_, _, late) in found.items() if late}
    wiring.logger.info("reviewed", extra={"idle": idle, "overdue": overdue})
    wiring.count("IdleCapacity", sum(map(len, idle.values())))
    wiring.count("OverdueModels", sum(map(len, overdue.values())))
    ages = [model.hours for _, models, _ in found.values() for model in models]
    wiring.count("OldestModelHours", int(max(ages, default=0)))
    if troubles:
        raise ReviewIncompleteError(f"{len(troubles)} group(s) could not be reviewed: {'; '.join(troubles[:_SHOWN])}")
    return {"idle": idle, "overdue": overdue}


def _review(group: str, now: datetime) -> tuple[list[IdleFinding], list[ServingModel], list[ServingModel]]:
    """Return what is newly idle, every model that serves, and those of them that are too old."""
    request = group_request(objects, group)
    if request is None:
        return [], [], []
    serving = serving_resources(personalize, group_arn_of(personalize, group))
    idle = _idle(group, serving, request.idle, now) if request.idle else []
    models = serving_models(personalize, (one.described for one in serving if one.noun == "campaign"), now)
    freshness = request.freshness_hours
    return idle, models, [one for one in models if freshness and one.hours > freshness]


def _idle(group: str, serving: Sequence[ServingResource], policy: IdlePolicy, now: datetime) -> list[IdleFinding]:
    found = review.review(group, serving, policy, costs, now)
    if found:
        idle = [IdleCapacityItem.model_validate(one.document()) for one in found]
        events.put(IdleCapacity(dataset_group=group, currency=costs.prices.currency, idle=idle))
    return found
