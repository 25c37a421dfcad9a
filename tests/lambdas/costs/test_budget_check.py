"""What a run may add to what a group costs already."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.costs.budget_check import AddedSpending, Spending, over_budget
from lambdas.costs.estimates import CostEstimator, CostTotal
from lambdas.costs.group_costs import ServingResource, TrainingHours
from lambdas.costs.price_table import load_prices
from lambdas.requests.budget import Budget

COSTS = CostEstimator(load_prices())
HOME = ServingResource("campaign", "home", "arn:home", None, {"status": "ACTIVE", "minProvisionedTPS": 3})
TOP = ServingResource("recommender", "top", "arn:top", None, {"status": "INACTIVE"})
SPENT = Spending((HOME, TOP), TrainingHours(7.5, 5, 4), datetime(2026, 3, 1, tzinfo=UTC))
NOTHING = AddedSpending(0, 0, CostTotal(0, 0, 0, verified=True))


def problems(added: AddedSpending = NOTHING, **limits: Any) -> dict[str, str]:
    return {one.path: one.text for one in over_budget(Budget(**limits), SPENT, added, COSTS)}


def test_throughput_may_reach_its_limit_and_not_pass_it() -> None:
    added = AddedSpending(2, 0, NOTHING.cost)
    assert problems(added, maxProvisionedTps=5) == {}
    text = problems(added, maxProvisionedTps=4)["$.budget.maxProvisionedTps"]
    assert "2 campaign(s) and recommender(s) have 3 TPS already, and this run would add 2" in text


def test_hours_of_a_month_may_reach_their_limit_and_not_pass_it() -> None:
    added = AddedSpending(0, 2.5, NOTHING.cost)
    assert problems(added, trainingHoursPerMonth=10) == {}
    text = problems(added, trainingHoursPerMonth=9.9)["$.budget.trainingHoursPerMonth"]
    assert "is 9.9: 4 training(s) took 7.5 hours since 2026-03-01, and this run would train for about 2.5 more" in text


def test_money_is_what_serves_and_what_was_trained_and_what_is_added() -> None:
    added = AddedSpending(0, 0, CostTotal(10, 20, 0, verified=False))
    before = 3 * 0.0556 * 3.6 * 730 + 5 * 0.24
    assert problems(added, monthlyCost=before + 30.01) == {}
    text = problems(added, monthlyCost=before + 29.99)["$.budget.monthlyCost"]
    assert "what serves costs 438.35 a month, trainings since 2026-03-01 cost 1.20" in text
    assert "469.55 USD in all, by prices that are in part unverified" in text


@pytest.mark.parametrize("limit", ["maxProvisionedTps", "trainingHoursPerMonth", "monthlyCost"])
def test_what_adds_nothing_passes_no_limit(limit: str) -> None:
    assert problems(NOTHING, **{limit: 1}) == {}
    assert problems(AddedSpending(-1, 0, CostTotal(0, -146, 0, verified=True)), **{limit: 1}) == {}
    assert problems(AddedSpending(99, 99, CostTotal(99, 99, 0, verified=True))) == {}
