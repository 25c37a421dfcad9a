"""Refuse what would pass a group's budget, before it is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas.costs.estimates import CostEstimator, CostTotal, total_cost
from lambdas.costs.group_costs import ServingResource, TrainingHours, month_of, serving_resources, training_hours
from lambdas.personalize.gateway import Personalize
from lambdas.requests.budget import Budget
from lambdas.requests.parameters import Problem
from lambdas.requests.request import InvalidRequestError


class OverBudgetError(InvalidRequestError):
    """A run would cost more than the request's budget allows."""


@dataclass(frozen=True)
class Spending:
    """What a group costs without the run that is planned: what serves, and the trainings of this month."""

    serving: Sequence[ServingResource]
    trained: TrainingHours
    month: datetime


@dataclass(frozen=True)
class AddedSpending:
    """What a run adds: throughput that is paid for, hours of training, and money."""

    requests_per_second: int
    training_hours: float
    cost: CostTotal


def spending(personalize: Personalize, group_arn: str, now: datetime) -> Spending:
    """Return what a group costs now."""
    month = month_of(now)
    return Spending(serving_resources(personalize, group_arn), training_hours(personalize, group_arn, month), month)


def over_budget(budget: Budget, spent: Spending, added: AddedSpending, costs: CostEstimator) -> list[Problem]:
    """Return what a run would spend beyond each limit, with the figures. What adds nothing is never over budget."""
    found = {
        "maxProvisionedTps": _over_tps(budget, spent, added),
        "trainingHoursPerMonth": over_training_hours(
            budget.training_hours_per_month, spent.trained, added.training_hours, spent.month
        ),
        "monthlyCost": _over_cost(budget, spent, added, costs),
    }
    return [Problem(f"$.budget.{limit}", text) for limit, text in found.items() if text]


def over_training_hours(limit: float | None, trained: TrainingHours, hours: float, month: datetime) -> str:
    """Return why so many more hours of training would pass the limit of a month, or an empty text."""
    if limit is None or hours <= 0 or trained.hours + hours <= limit:
        return ""
    return (
        f"is {limit:g}: {trained.trainings} training(s) took {trained.hours:.1f} hours since {month:%Y-%m-%d}, and "
        f'this run would train for about {hours:.1f} more; raise the limit, or say "train": "NEVER"'
    )


def _over_tps(budget: Budget, spent: Spending, added: AddedSpending) -> str:
    limit, serving = budget.max_provisioned_tps, sum(one.requests_per_second for one in spent.serving)
    if limit is None or added.requests_per_second <= 0 or serving + added.requests_per_second <= limit:
        return ""
    return (
        f"is {limit}: {len(spent.serving)} campaign(s) and recommender(s) have {serving} TPS already, and this run "
        f"would add {added.requests_per_second}; raise the limit, or ask for less"
    )


def _over_cost(budget: Budget, spent: Spending, added: AddedSpending, costs: CostEstimator) -> str:
    limit, cost = budget.monthly_cost, added.cost
    if limit is None or cost.once + cost.monthly <= 0:
        return ""
    serving = total_cost(costs.serving(one.noun, one.described, one.recipe_arn) for one in spent.serving)
    trained = costs.training(None, spent.trained.paid_by_hour, None).once or 0
    total = serving.monthly + trained + cost.once + cost.monthly
    if total <= limit:
        return ""
    doubt = "" if serving.verified and cost.verified else ", by prices that are in part unverified"
    return (
        f"is {limit:,.2f}: what serves costs {serving.monthly:,.2f} a month, trainings since {spent.month:%Y-%m-%d} "
        f"cost {trained:,.2f}, and this run would add {cost.monthly:,.2f} a month and {cost.once:,.2f} once: "
        f"{total:,.2f} {costs.prices.currency} in all{doubt}; raise the limit, or ask for less"
    )
