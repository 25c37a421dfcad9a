"""What changes of serving resources cost a month, against what is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lambdas.requests.step_runs import StepRuns, step_runs
from tests.personalize_local.personalize.world import FIELDS

COLUMNS = {field["name"]: field["type"] for field in FIELDS["Interactions"]}
TPS = 0.0556 * 3.6 * 730


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


def monthly(runs: StepRuns, document: dict[str, Any]) -> dict[str, float | None]:
    """Plan, run, and return what each change was said to add to a month."""
    planner = runs.planner(document)
    planned = runs.preview(planner).changes()
    runs.run(planner)
    return {change.name: change.estimate.monthly for change in planned if change.estimate.monthly}


def test_a_campaign_costs_what_its_throughput_adds(runs: StepRuns) -> None:
    def document(tps: int) -> dict[str, Any]:
        campaigns = [{"name": "home", "minProvisionedTPS": tps}]
        solution = {"name": "taste", "recipeArn": "aws-sims", "campaigns": campaigns}
        return {"datasetGroup": "g", "datasets": {"interactions": {"columns": COLUMNS}}, "solutions": [solution]}

    assert monthly(runs, document(2)) == {"home": pytest.approx(2 * TPS)}
    assert monthly(runs, document(2)) == {}
    assert monthly(runs, document(5)) == {"home": pytest.approx(3 * TPS)}
    assert monthly(runs, document(1)) == {"home": pytest.approx(-4 * TPS)}


def test_a_recommender_costs_until_it_is_stopped(runs: StepRuns) -> None:
    def document(**more: Any) -> dict[str, Any]:
        recommender = {"name": "top", "recipeArn": "aws-vod-most-popular", **more}
        group = {"name": "g", "domain": "VIDEO_ON_DEMAND"}
        datasets = {"interactions": {"columns": COLUMNS}}
        return {"datasetGroup": group, "datasets": datasets, "recommenders": [recommender]}

    assert monthly(runs, document()) == {"top": pytest.approx(0.375 * 730)}
    assert monthly(runs, document()) == {}
    assert monthly(runs, document(active=False)) == {"top": pytest.approx(-0.375 * 730)}
    assert monthly(runs, document()) == {"top": pytest.approx(0.375 * 730)}
