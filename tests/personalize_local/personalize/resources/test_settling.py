"""Settling ends once nothing is under way, and says so when real work takes too long."""

import pytest

from personalize_local.personalize.resources.settling import settle
from tests.personalize_local.personalize.world import World


def test_everything_comes_to_its_end(world: World) -> None:
    group = world.personalize.create_dataset_group(name="g")["datasetGroupArn"]
    settle(10)
    assert world.status("dataset_group", group) == "ACTIVE"
    world.personalize.delete_dataset_group(datasetGroupArn=group)
    settle(10)
    assert world.personalize.list_dataset_groups()["datasetGroups"] == []


def test_work_that_does_not_end_is_named_as_such(world: World) -> None:
    group = world.make_group()
    world.make_import(world.make_dataset(group))
    solution = world.make_solution(group)
    world.engine.hold.clear()
    world.personalize.create_solution_version(solutionArn=solution)
    with pytest.raises(TimeoutError, match="still under way"):
        settle(0.1)
    world.engine.hold.set()
    settle(10)
