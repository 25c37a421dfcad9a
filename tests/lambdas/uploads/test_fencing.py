"""What a function does that has outlived its execution: nothing that the next holder of the lease would not want."""

import pytest

from lambdas.gateways.table import Item
from lambdas.uploads.lease import LeaseLostError
from lambdas.uploads.records.file_row import FileRow, FileState
from tests.lambdas.uploads.world import Execution, World, csv

LANE = "movies/interactions"
KEY = f"uploads/{LANE}/monday.csv"


def first(world: World) -> Execution:
    return next(iter(world.executions.values()))


def row_of(world: World) -> FileRow:
    (row,) = world.ledger.versions(LANE, KEY)
    return row


def test_a_holder_that_was_taken_for_dead_cannot_commit_to_a_batch() -> None:
    world = World()
    world.drop(KEY, csv("ann"))
    zombie = first(world)
    world.step(zombie)
    old = world.leases.read(LANE)
    world.kill(zombie)
    world.step(world.begin())
    with pytest.raises(LeaseLostError):
        world.leases.keep(old, {"batch": "{}"})
    assert world.leases.read(LANE).batch is None


def test_a_row_that_the_next_holder_claimed_cannot_be_claimed_by_the_last_one() -> None:
    world = World()
    world.drop(KEY, csv("ann"))
    row = row_of(world)
    assert world.ledger.claim(row, "the zombie's batch", epoch=1)
    assert world.ledger.claim(row, "the next batch", epoch=2)
    assert not world.ledger.claim(row, "the zombie's batch", epoch=1)
    assert not world.ledger.settle(row, FileState.REJECTED, world.time, epoch=1)
    assert row_of(world).batch == "the next batch"


def test_what_was_settled_stays_settled() -> None:
    world = World()
    world.drop(KEY, csv("ann"))
    world.run()
    row = row_of(world)
    assert row.state is FileState.IMPORTED
    assert not world.ledger.settle(row, FileState.SUPERSEDED, world.time, epoch=99)
    assert not world.ledger.set_back(row, "again", epoch=99)
    assert not world.ledger.record(row)


def items(world: World) -> list[Item]:
    """Return all that the table keeps of the file."""
    return [item for item in world.table.items.values() if item.get("key") == KEY]


def test_only_settled_rows_expire() -> None:
    world = World()
    world.exists = False
    world.drop(KEY, csv("ann"))
    assert len(items(world)) == 2  # a marker, and the open row that it names
    assert not any("expires_at" in item for item in items(world))
    world.exists = True
    world.begin()
    world.run()
    (item,) = items(world)
    assert int(item["expires_at"]) == pytest.approx(world.now.timestamp() + 90 * 86400, abs=60)


def test_a_file_is_found_while_it_is_being_settled() -> None:
    """Between the look at the marker and the look at the open row."""
    world = World()
    world.drop(KEY, csv("ann"))
    row = row_of(world)

    def settle() -> None:
        assert world.ledger.settle(row, FileState.IMPORTED, world.time, epoch=1)

    world.table.interrupt(1, settle)
    assert row_of(world).state is FileState.IMPORTED
