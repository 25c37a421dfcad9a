"""An execution ends, whatever keeps arriving; what it leaves is taken up by another."""

import json

import pytest

from lambdas.uploads import import_state
from lambdas.uploads.import_state import ImportState
from tests.lambdas.uploads.world import Execution, World, csv

FOLDER = "uploads/movies/interactions"


def run_under_steady_traffic(world: World, execution: Execution, most_states: int = 300) -> None:
    """Upload a file before every state."""
    for number in range(most_states):
        world.drop(f"{FOLDER}/steady-{number}.csv", csv(f"user{number}"))
        if not world.step(execution):
            return
    pytest.fail(f"it runs on after {most_states} states")


def test_what_a_pipeline_waits_for_ends_with_what_waited_at_its_start() -> None:
    world = World(filled=True)
    world.drop(f"{FOLDER}/monday.csv", csv("ann"))
    mine = world.begin(name="for-a-pipeline", urgent=True)
    run_under_steady_traffic(world, mine)
    assert (mine.status, len(mine.state.jobs)) == ("SUCCEEDED", 1)
    assert "left to the next execution" in mine.state.message


def test_an_execution_hands_over_after_so_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_state, "MOST_JOBS", 3)
    world = World(filled=True)
    world.drop(f"{FOLDER}/monday.csv", csv("ann"))
    (first,) = world.executions.values()
    run_under_steady_traffic(world, first)
    assert (first.status, len(first.state.jobs)) == ("SUCCEEDED", 3)
    world.run()
    states = [state for row in world.rows() for state in [str(row.state)]]
    assert set(states) == {"IMPORTED"}
    assert len(world.executions) > 1


def test_an_execution_hands_over_after_a_day() -> None:
    state = ImportState(started="2026-11-20T12:00:00Z")
    assert not state.is_spent("2026-11-21T11:59:59Z")
    assert state.is_spent("2026-11-21T12:00:00Z")


def test_who_dies_while_handing_over_leaves_it_to_the_sweep() -> None:
    world = World(filled=True)
    world.drop(f"{FOLDER}/monday.csv", csv("ann"))
    mine = world.begin(name="for-a-pipeline", urgent=True)
    while not world.jobs:
        world.step(mine)
    world.drop(f"{FOLDER}/tuesday.csv", csv("ben"))
    starts, world.starter.start = world.starter.start, lambda lease: None  # type: ignore[method-assign]  # noqa: ARG005
    while world.step(mine):
        pass
    world.starter.start = starts  # type: ignore[method-assign]
    assert world.states_of(f"{FOLDER}/tuesday.csv") == ["WAITING"]
    assert world.sweep() == ["movies/interactions"]
    world.run()
    assert world.states_of(f"{FOLDER}/tuesday.csv") == ["IMPORTED"]


def test_a_training_that_was_put_off_is_taken_up_by_the_sweep() -> None:
    world = World(filled=True)
    request = {
        "datasetGroup": "movies",
        "datasets": {"interactions": {"columns": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}}},
        "retrain": {"rowsSince": 1000, "blackoutHoursUtc": [12]},
    }
    world.objects.upload("requests/movies.json", json.dumps(request).encode(), world.now)
    world.drop(f"{FOLDER}/monday.csv", csv("ann"))
    world.run()
    assert world.history.retrains_put_off()
    for _ in range(3):
        world.sweep()
    assert pipelines(world) == []
    world.sweep()  # after thirteen hundred
    assert len(pipelines(world)) == 1
    world.sweep()
    assert len(pipelines(world)) == 1


def pipelines(world: World) -> list[str]:
    return [arn for arn in world.executions if arn.startswith("pipeline:movies-")]
