"""What each stage's machine is given, however it was started."""

from typing import Any

import pytest

from lambdas.personalize.resources import ResourceType
from lambdas.releases.releases import Releases
from lambdas.releases.stage_plan import StagePlanner
from lambdas.requests.request import InvalidRequestError
from tests.lambdas.gateways.memory_table import MemoryTable
from tests.lambdas.personalize.fake_personalize import FakePersonalize
from tests.lambdas.releases.solution_world import SolutionWorld
from tests.lambdas.requests.test_plan import EXAMPLE, changed, planner


def stages(*, has_objects: bool, document: Any = EXAMPLE) -> StagePlanner:
    releases = Releases(MemoryTable(), "movies")
    return StagePlanner(
        planner(document), ServesVersion(), releases, lambda _prefix: has_objects, "2026-03-01T00:00:00Z"
    )


class ServesVersion(FakePersonalize):
    """A service in which every campaign serves a version."""

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        return {"status": "ACTIVE", "solutionVersionArn": f"{row.noun}/{arn}/version"}


def test_a_batch_template_without_input_is_left_out_and_told() -> None:
    given = {"datasetGroup": "movies"}
    full = stages(has_objects=True).plan("run_batch_inference", given)
    assert len(full["jobs"]) == 1
    assert full["note"] == ""
    empty = stages(has_objects=False).plan("run_batch_inference", given)
    assert empty["jobs"] == []
    assert empty["note"].startswith("no input yet below uploads/movies/batch/")
    asked = stages(has_objects=False).plan("run_batch_inference", {**given, "input": "s3://b/x.json"})
    assert len(asked["jobs"]) == 1  # whoever names the input is told by the service what is wrong with it


def test_a_solution_is_chosen_by_its_name_its_template_or_by_being_the_only_one() -> None:
    second = {"name": "second", "recipeArn": "aws-popularity-count", "batchInferenceJobs": [{"template": "daily"}]}
    two = {**EXAMPLE, "solutions": [*EXAMPLE["solutions"], second]}
    planned = stages(has_objects=True, document=two)
    assert planned.plan("train_solution", {"solution": "second"})["solution"]["request"]["name"] == "second"
    with pytest.raises(InvalidRequestError, match="which solution"):
        planned.plan("train_solution", {})
    with pytest.raises(InvalidRequestError, match="which solution"):
        planned.plan("run_batch_inference", {"template": "hourly"})


@pytest.mark.parametrize("order", ["approve", "pin", "unpin", "rollback"])
def test_an_order_about_versions_is_for_update_campaign_alone(order: str) -> None:
    with pytest.raises(InvalidRequestError, match="is an order for the machine update_campaign"):
        stages(has_objects=True).plan("train_solution", {order: True})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"approve": {"solutionVersion": "v1", "by": "Ann"}}, "why: Field required"),
        (
            {"approve": {"solutionVersion": "v9", "by": "Ann", "why": "so"}},
            "'v9' is no ACTIVE version of films; there are: v1",
        ),
        ({"pin": "v1"}, "must be {"),
        ({"pin": {"solutionVersion": "v1", "by": "A", "why": "b"}, "rollback": True}, "one of approve, pin"),
        ({"rollback": True}, "has served before"),
    ],
)
def test_an_order_that_cannot_be_carried_out_says_what_would_be_right(given: Any, words: str) -> None:
    world = SolutionWorld()
    world.run(0.5)
    planned = StagePlanner(world.planner, world, world.releases, lambda _prefix: True, "2026-03-01T00:00:00Z")
    with pytest.raises(InvalidRequestError) as caught:
        planned.plan("update_campaign", given)
    assert words in str(caught.value)


def test_a_campaign_that_follows_the_newest_version_takes_no_orders() -> None:
    document = changed(gates=[], campaigns=[{"name": "c", "campaignConfig": {"syncWithLatestSolutionVersion": True}}])
    with pytest.raises(InvalidRequestError, match="campaign c follows the newest version"):
        stages(has_objects=True, document=document).plan("update_campaign", {"rollback": True})
