"""Hold what a plan adds against the request's budget."""

from collections.abc import Sequence
from datetime import datetime

from lambdas.costs.budget_check import AddedSpending, over_budget, spending
from lambdas.costs.estimates import CostEstimator, total_cost
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.group_arn import group_arn_of
from lambdas.previews.planned_change import REFUSE, PlannedChange
from lambdas.requests.parameters import Problem
from lambdas.requests.plan import Planner


def added_spending(changes: Sequence[PlannedChange]) -> AddedSpending:
    """Return what changes add to what a group costs."""
    return AddedSpending(
        sum(change.added_tps for change in changes),
        sum(change.training_hours for change in changes),
        total_cost(change.estimate for change in changes),
    )


def budget_problems(
    planner: Planner,
    personalize: Personalize,
    changes: Sequence[PlannedChange],
    costs: CostEstimator,
    now: datetime,
) -> list[Problem]:
    """Return which limits of the request's budget the changes would pass; without a budget there are none."""
    budget = planner.request.budget
    if budget is None:
        return []
    group_arn = group_arn_of(personalize, planner.group)
    return over_budget(budget, spending(personalize, group_arn, now), added_spending(changes), costs)


def budget_refusals(problems: Sequence[Problem]) -> list[PlannedChange]:
    """Return the limits that a run would pass as what it would be refused for."""
    return [PlannedChange(REFUSE, "budget", one.path.rpartition(".")[2], one.text) for one in problems]
