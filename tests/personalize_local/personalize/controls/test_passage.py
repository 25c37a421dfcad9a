"""The clock is moved by hand, or moves by itself where a status is asked for."""

import time

import pytest

from personalize_local.clock import CLOCK, Clock
from tests.personalize_local.personalize.world import World


def test_time_goes_on_from_where_it_is_at_another_speed() -> None:
    clock = Clock(1e6)
    time.sleep(0.01)
    reached = clock.time()
    clock.change_speed(1e-6)
    assert 0 <= clock.time() - reached < 1e6
    stood = clock.time()
    time.sleep(0.01)
    assert clock.time() - stood < 1e-3


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_time_never_goes_back(world: World, seconds: float) -> None:
    with pytest.raises(ValueError, match="forward only"):
        world.service.passage.advance(seconds)


def test_what_is_under_way_stays_so_until_time_is_advanced(world: World) -> None:
    world.service.passage.freeze()
    arn = world.personalize.create_dataset_group(name="g")["datasetGroupArn"]
    assert [world.status("dataset_group", arn) for _ in range(3)] == ["CREATE PENDING"] * 3
    world.service.passage.advance(60)
    assert world.status("dataset_group", arn) == "ACTIVE"


def test_each_question_makes_the_next_change_come(world: World) -> None:
    world.service.passage.change({"automatic": True})
    arn = world.personalize.create_dataset_group(name="g")["datasetGroupArn"]
    assert [world.status("dataset_group", arn) for _ in range(2)] == ["CREATE PENDING", "ACTIVE"]
    before = CLOCK.time()
    world.personalize.list_schemas()
    assert CLOCK.time() - before < 1  # with nothing under way nothing passes


def test_automatic_time_waits_for_real_work(world: World) -> None:
    dataset = world.make_dataset(world.make_group())
    world.make_import(dataset)
    world.engine.hold.clear()
    version = world.personalize.create_solution_version(
        solutionArn=world.make_solution(str(world.describe("dataset", dataset)["datasetGroupArn"]))
    )["solutionVersionArn"]
    world.service.passage.change({"automatic": True})
    began = time.monotonic()
    assert world.status("solution_version", version) == "CREATE PENDING"
    assert time.monotonic() - began > 0.5  # polling is no spinning
    world.engine.hold.set()
    seen = [world.status("solution_version", version) for _ in range(4)]
    assert seen[-1] == "ACTIVE"
