"""What a group costs, told of a real run and its traffic."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from control.cost_report import cost_document, cost_lines, cost_report, group_names
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import load_prices
from tests.lambdas.requests.step_runs import StepRuns, step_runs
from tests.personalize_local.personalize.world import FIELDS, PREFIX

COSTS = CostEstimator(load_prices())
REQUEST: dict[str, Any] = {
    "datasetGroup": {"name": "g", "domain": "VIDEO_ON_DEMAND"},
    "datasets": {"interactions": {"columns": {field["name"]: field["type"] for field in FIELDS["Interactions"]}}},
    "recommenders": [{"name": "top", "recipeArn": "aws-vod-most-popular"}],
    "solutions": [{"name": "taste", "recipeArn": "aws-sims", "campaigns": [{"name": "home", "minProvisionedTPS": 2}]}],
}


class Traffic:
    """CloudWatch's counts: the campaign `home` was asked 1,200 times, nothing else was asked."""

    def total(self, namespace: str, metric: str, dimension: tuple[str, str], since: datetime, until: datetime) -> int:
        assert (namespace, since < until) == ("AWS/Personalize", True)
        asked = ("GetRecommendations", ("CampaignArn", f"{PREFIX}campaign/home"))
        return 1_200 if (metric, dimension) == asked else 0


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


def test_a_report_tells_the_monthly_floor_the_trainings_and_what_is_idle(runs: StepRuns) -> None:
    runs.run(runs.planner(REQUEST))
    runs.world.finish(80 * 3600)
    report = cost_report(runs.personalize, Traffic(), COSTS, "g", runs.now)
    campaign, recommender = 2 * 0.0556 * 3.6 * 730, 0.375 * 730
    assert report.monthly == pytest.approx(campaign + recommender)
    first, *rest = cost_lines(report, COSTS)
    assert first == "g: $565.98 a month while nobody asks"
    assert rest[:2] == [
        "  campaign home: $292.23 a month at 2 TPS; asked 1,200 times in 72 hours",
        "  recommender top: $273.75 a month at 1 TPS, unverified; idle in 72 hours",
    ]
    assert rest[2].startswith("  a training of taste took ")
    assert "training(s) since" in rest[3]
    assert rest[4] == f"  {COSTS.prices}"
    document = cost_document(report, COSTS)
    assert [(one["name"], one["idle"]) for one in document["serving"]] == [("home", False), ("top", True)]
    assert document["monthly"] == 565.98
    assert document["trainings"][0]["cost"] == pytest.approx(document["trainings"][0]["hours"] * 0.24)
    assert group_names(runs.personalize) == ["g"]


def test_a_group_that_is_not_there_costs_nothing(runs: StepRuns) -> None:
    report = cost_report(runs.personalize, Traffic(), COSTS, "nowhere", runs.now)
    assert (report.monthly, report.serving, report.trainings) == (0, (), ())
    assert next(cost_lines(report, COSTS)) == "nowhere: $0.00 a month while nobody asks"
