"""What a plan adds, held against a budget, as a run and a plan tell it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import load_prices
from lambdas.previews.added_spending import added_spending, budget_problems, budget_refusals
from tests.lambdas.requests.step_runs import StepRuns, step_runs
from tests.personalize_local.personalize.world import FIELDS

COSTS = CostEstimator(load_prices())
COLUMNS = {field["name"]: field["type"] for field in FIELDS["Interactions"]}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


def request(tps: int, **more: Any) -> dict[str, Any]:
    solution = {"name": "taste", "recipeArn": "aws-sims", "campaigns": [{"name": "home", "minProvisionedTPS": tps}]}
    return {"datasetGroup": "g", "datasets": {"interactions": {"columns": COLUMNS}}, "solutions": [solution], **more}


def refused(runs: StepRuns, document: dict[str, Any]) -> list[str]:
    planner = runs.planner(document)
    changes = runs.preview(planner).changes()
    return [one.name for one in budget_refusals(budget_problems(planner, runs.personalize, changes, COSTS, runs.now))]


def test_a_budget_counts_what_is_there_and_what_the_run_adds(runs: StepRuns) -> None:
    limits = {"maxProvisionedTps": 3, "trainingHoursPerMonth": 3, "monthlyCost": 450}
    assert refused(runs, request(4, budget=limits)) == ["maxProvisionedTps", "monthlyCost"]
    assert refused(runs, request(3, budget={**limits, "trainingHoursPerMonth": 1})) == ["trainingHoursPerMonth"]
    assert refused(runs, request(3, budget=limits)) == []
    runs.run(runs.planner(request(3)))
    assert refused(runs, request(3, budget={"maxProvisionedTps": 1, "monthlyCost": 1})) == []
    assert refused(runs, request(2, budget={"maxProvisionedTps": 1, "monthlyCost": 1})) == []
    assert refused(runs, request(5, budget=limits)) == ["maxProvisionedTps", "monthlyCost"]
    assert refused(runs, request(5)) == []


def test_what_a_first_run_adds_is_a_training_and_its_throughput(runs: StepRuns) -> None:
    added = added_spending(runs.preview(runs.planner(request(2))).changes())
    assert (added.requests_per_second, added.training_hours) == (2, 1.5)
    assert added.cost.once == pytest.approx(0.36)
