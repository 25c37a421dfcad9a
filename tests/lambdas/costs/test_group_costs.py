"""What a group has that serves, and its training hours, as the local service answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambdas.costs.group_costs import month_of, serving_resources, training_hours
from tests.lambdas.requests.step_runs import StepRuns, step_runs
from tests.personalize_local.personalize.world import FIELDS, PREFIX

COLUMNS = {field["name"]: field["type"] for field in FIELDS["Interactions"]}
GROUP = f"{PREFIX}dataset-group/g"
REQUEST: dict[str, Any] = {
    "datasetGroup": {"name": "g", "domain": "VIDEO_ON_DEMAND"},
    "datasets": {"interactions": {"columns": COLUMNS}},
    "recommenders": [{"name": "top", "recipeArn": "aws-vod-most-popular"}],
    "solutions": [
        {"name": "taste", "recipeArn": "aws-sims", "campaigns": [{"name": "home", "minProvisionedTPS": 4}]},
        {"name": "newer", "recipeArn": "aws-user-personalization-v2"},
    ],
}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


def test_a_group_that_is_not_there_costs_nothing(runs: StepRuns) -> None:
    assert serving_resources(runs.personalize, GROUP) == []
    assert training_hours(runs.personalize, GROUP, month_of(runs.now)).hours == 0


def test_what_serves_is_told_with_its_throughput_and_recipe(runs: StepRuns) -> None:
    began = runs.now
    runs.run(runs.planner(REQUEST))
    found = {one.name: one for one in serving_resources(runs.personalize, GROUP)}
    assert {name: one.requests_per_second for name, one in found.items()} == {"home": 4, "top": 1}
    assert str(found["home"].recipe_arn).endswith("aws-sims")
    trained = training_hours(runs.personalize, GROUP, began)
    assert trained.trainings == 2
    assert trained.hours > trained.paid_by_hour > 0
    assert training_hours(runs.personalize, GROUP, runs.now + timedelta(hours=1)).trainings == 0


def test_a_month_begins_on_its_first_day() -> None:
    assert month_of(datetime(2026, 3, 31, 23, 59, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)
