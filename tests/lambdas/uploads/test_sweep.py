"""The sweep: one at a time, a page at a time, at the same cost whatever was settled before."""

from datetime import timedelta

import pytest

from lambdas.uploads.ledger import Waiting
from lambdas.uploads.records.file_row import FileRow, FileState
from lambdas.uploads.sweep import Cursors, SweepIncompleteError, Swept
from tests.lambdas.uploads.world import World, csv

FOLDER = "uploads/movies/interactions"


def settle_many(world: World, count: int) -> None:
    """Have so many objects in the bucket that were imported an hour ago."""
    for number in range(count):
        key = f"{FOLDER}/{number:06d}.csv"
        version = world.objects.upload(key, b"x", world.now - timedelta(hours=1))
        row = FileRow("movies/interactions", key, version.number, True, 1, world.time, state=FileState.IMPORTED)
        world.ledger.record_rejected(row, "settled is settled")
    world.ledger.know_dataset("movies/interactions")


@pytest.mark.parametrize("count", [10, 1_000, 100_000])
def test_a_sweep_costs_the_same_whatever_was_settled(count: int) -> None:
    world = World()
    settle_many(world, count)
    world.table.calls = 0
    assert world.sweep_closely() == Swept()
    assert (world.table.calls, world.objects.listings) == (14, 2)


def test_sweeps_go_through_the_bucket_page_by_page_and_begin_again() -> None:
    world = World(filled=True)
    world.objects.page_size = 3
    settle_many(world, 7)
    for _ in range(2):  # the first two pages hold nothing new
        assert world.sweep_closely() == Swept()
    world.upload(f"{FOLDER}/zzz.csv", csv("ann"))
    assert world.sweep() == ["movies/interactions"]
    world.run()
    assert world.states_of(f"{FOLDER}/zzz.csv") == ["IMPORTED"]
    world.upload(f"{FOLDER}/000.csv", csv("ben"))
    assert world.sweep() == ["movies/interactions"]
    world.run()
    assert world.sweep() == []


def test_two_sweeps_do_not_run_at_once_and_a_dead_one_blocks_none_for_ever() -> None:
    world = World()
    cursors = Cursors(world.table)
    assert cursors.take(world.now)
    assert world.sweeper.sweep(world.now + timedelta(minutes=1), world.personalize) == Swept(ran=False)
    assert world.sweeper.sweep(world.now + timedelta(minutes=15), world.personalize) == Swept()
    assert world.sweeper.sweep(world.now + timedelta(minutes=15), world.personalize) == Swept()


def test_names_that_sort_strangely_are_found_in_the_ledger() -> None:
    world = World()
    names = ["a.csv", "a!.csv", "a#.csv", "a/b.csv", "é.csv", "\U0001f600.csv", "n" * 950, "a.csv.csv", "a"]
    for name in names:
        world.drop(f"{FOLDER}/{name}", csv("ann", rows=2))
    world.now += timedelta(minutes=15)
    assert world.sweep_closely().unannounced == []


def test_a_request_whose_execution_is_gone_is_started_again() -> None:
    """A local cloud that was killed remembers the ledger's row, and no execution that was under way."""
    world = World()
    world.deliver(world.upload("requests/movies.json", b"{}"))
    (pipeline,) = world.executions
    assert world.sweep_closely().unannounced == []
    world.executions.clear()
    assert world.sweep_closely().unannounced == ["requests/movies.json"]
    assert list(world.executions) == [pipeline]


def test_one_hostile_key_holds_up_neither_the_sweep_nor_its_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(filled=True)
    world.objects.page_size = 3
    for name in ("a", "hostile", "m", "z"):
        world.upload(f"{FOLDER}/{name}.csv", csv(name))
    record = world.ledger.record

    def stumble(row: FileRow) -> bool:
        if "hostile" in row.key:
            raise ValueError("what nobody has thought of")
        return record(row)

    monkeypatch.setattr(world.ledger, "record", stumble)
    swept = world.sweep_closely()
    assert swept.unannounced == [f"{FOLDER}/a.csv", f"{FOLDER}/m.csv"]
    assert swept.troubles == [f"{FOLDER}/hostile.csv: ValueError: what nobody has thought of"]
    assert world.sweep_closely().unannounced == [f"{FOLDER}/z.csv"]
    monkeypatch.undo()
    assert world.sweep_closely().unannounced == [f"{FOLDER}/hostile.csv"]  # found again in the next round


@pytest.mark.parametrize("call", ["_wake", "announce", "has_started", "unknown", "page_of_versions"])
def test_whatever_fails_is_told_and_the_next_sweep_runs(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    world = World(filled=True)
    world.drop("uploads/movies/items/old.csv", csv("ann"))
    world.kill(next(iter(world.executions.values())))
    world.upload(f"{FOLDER}/new.csv", csv("ann"))
    world.upload("requests/movies.json", b"{}")
    owners = {"_wake": world.sweeper, "announce": world.starter, "has_started": world.recorder, "unknown": world.ledger}

    def break_down(*_: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(owners.get(call, world.objects), call, break_down)
    swept = world.sweep_closely()
    assert swept.ran
    assert swept.troubles
    assert all("ConnectionError: nobody answers" in trouble for trouble in swept.troubles)
    monkeypatch.undo()
    swept = world.sweep_closely()
    assert (swept.ran, swept.troubles) == (True, [])
    world.sweep_closely()
    world.run()
    assert world.states_of(f"{FOLDER}/new.csv") == ["IMPORTED"]


def test_the_lock_is_given_back_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world.ledger, "dataset_keys", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.sweeper.sweep(world.now, world.personalize)
    monkeypatch.undo()
    assert world.sweeper.sweep(world.now, world.personalize).ran


def test_a_group_whose_training_cannot_be_decided_keeps_no_other_from_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(filled=True)
    for group in ("broken", "movies"):
        world.objects.upload(f"requests/{group}.json", b"{", world.now)
        world.history.put_retrain_off(group, "job")
    monkeypatch.setattr(world.retraining, "_take_up", lambda group, *_: group == "movies" or 1 / 0)
    assert world.retraining.take_up(world.time) == (["movies"], ["broken: ZeroDivisionError: division by zero"])


def test_a_sweep_with_troubles_is_red() -> None:
    error = SweepIncompleteError([f"{number}: no" for number in range(9)])
    assert str(error) == "9 thing(s) could not be looked after: 0: no; 1: no; 2: no; 3: no; 4: no"


def test_the_longest_wait_is_that_of_the_oldest_file_of_any_dataset() -> None:
    world = World()
    assert world.sweeper.waiting() == Waiting(0, 0, None)
    assert world.sweeper.waiting().longest(world.now) == timedelta()
    world.deliver(world.upload(f"{FOLDER}/first.csv", csv("ann")))
    first = world.now
    world.now += timedelta(hours=5)
    world.deliver(world.upload(f"{FOLDER}/second.csv", csv("bob")))
    world.now += timedelta(hours=25)
    waiting = world.sweeper.waiting()
    waited = waiting.longest(world.now)
    assert waiting.files == 2
    assert abs(waited - (world.now - first)) <= timedelta(minutes=1)
