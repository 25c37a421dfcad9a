"""The rows of this moment: a filter answers the same before and after everybody's events are read."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_local.engine.api import FilterUse, Query
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile, dtypes, merge
from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.filters import current_rows
from personalize_local.engine.filters.current_rows import CurrentRows
from tests.personalize_local.engine.examples import INTERACTIONS, ref
from tests.personalize_local.engine.examples import ITEMS as ITEMS_SCHEMA

EVENTS, SCHEMA = ref("INTERACTIONS"), parse_schema(INTERACTIONS)
ITEMS = pl.Series([f"i{number}" for number in range(6)])
WATCHED = FilterUse('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')


class HeldJobs(Executor):
    """Jobs that wait until the test lets them run."""

    def __init__(self) -> None:
        self.held: list[Callable[[], object]] = []

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":
        self.held.append(lambda: work(*args, **named))
        return Future()

    def run(self) -> None:
        """Do all that was submitted."""
        while self.held:
            self.held.pop()()


def row(user: str, item: str, moment: int, kind: str = "watch") -> dict[str, Any]:
    return {"USER_ID": user, "ITEM_ID": item, "EVENT_TYPE": kind, "TIMESTAMP": moment}


def imported(store: DatasetStore, rows: list[dict[str, Any]], *, replace: bool = True) -> None:
    """Commit the rows as a bulk file."""
    path = store.root / "incoming.parquet"
    pl.DataFrame(rows, schema=dtypes(SCHEMA)).write_parquet(path)
    store.dataset(EVENTS).commit(SCHEMA, [LogFile(path, "BULK", len(rows), unique=True)], replace=replace)


def watched(current: CurrentRows, user: str | None) -> str:
    mask = current.bind([EVENTS], WATCHED, Query(0.0, user_id=user)).mask(ITEMS)
    return "".join(ITEMS.filter(pl.Series(mask)).str.slice(1))


@pytest.fixture
def jobs() -> HeldJobs:
    return HeldJobs()


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path)


EVENT = st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 3), st.sampled_from(["watch", "Watch", "buy"]))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bulk=st.lists(EVENT, max_size=30), streamed=st.lists(EVENT, max_size=5))
def test_it_does_not_matter_whether_everybodys_events_are_read(
    tmp_path_factory: pytest.TempPathFactory, bulk: list[tuple[Any, ...]], streamed: list[tuple[Any, ...]]
) -> None:
    store, jobs = DatasetStore(tmp_path_factory.mktemp("store")), HeldJobs()
    rows = [row(f"u{user}", f"i{item}", *rest) for user, item, *rest in bulk]
    put = [row(f"u{user}", f"i{item}", *rest) for user, item, *rest in streamed]
    imported(store, rows)
    store.dataset(EVENTS).append(SCHEMA, put)
    current, users = CurrentRows(store, jobs), ["u0", "u1", "u2", "stranger", None]
    expected = {
        user: sorted({each["ITEM_ID"][1:] for each in rows + put if each["USER_ID"] == user and "atch" in str(each)})
        for user in users
    }
    for _ in ("before", "after"):
        assert {user: [*watched(current, user)] for user in users} == expected
        jobs.run()


def test_only_the_newest_hundred_count_before_and_after(store: DatasetStore, jobs: HeldJobs) -> None:
    imported(store, [row("u0", "i5", 1), *[row("u0", "i1", moment) for moment in range(2, 102)]])
    current = CurrentRows(store, jobs)
    for _ in ("before", "after"):
        assert watched(current, "u0") == "1"
        jobs.run()


def test_events_are_read_again_after_an_import_and_once_only(store: DatasetStore, jobs: HeldJobs) -> None:
    imported(store, [row("u0", "i1", 1)])
    current = CurrentRows(store, jobs)
    assert watched(current, "u0") == watched(current, "u0") == "1"
    assert len(jobs.held) == 1
    jobs.run()
    imported(store, [row("u0", "i2", 2)], replace=False)
    assert watched(current, "u0") == "12"
    jobs.run()
    imported(store, [row("u0", "i3", 3)])
    assert watched(current, "u0") == "3"
    jobs.run()
    assert watched(current, "u0") == "3"
    assert not jobs.held


def test_a_reading_that_failed_is_tried_again(
    store: DatasetStore, jobs: HeldJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(store, [row("u0", "i1", 1)])
    current = CurrentRows(store, jobs)
    assert watched(current, "u0") == "1"
    with monkeypatch.context() as broken:
        broken.setattr("personalize_local.engine.filters.current_rows.read_history", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            jobs.run()
    assert watched(current, "u0") == "1"
    assert len(jobs.held) == 1


@pytest.mark.parametrize(("few", "is_read"), [(2, True), (1, False)])
def test_items_are_read_before_a_filter_asks_if_they_are_few(
    store: DatasetStore, jobs: HeldJobs, monkeypatch: pytest.MonkeyPatch, few: int, *, is_read: bool
) -> None:
    monkeypatch.setattr(current_rows, "_FEW_ROWS", few)
    schema = parse_schema(ITEMS_SCHEMA)
    path = store.root / "incoming.parquet"
    rows = [{"ITEM_ID": item, "PRICE": price} for item, price in (("i0", 5.0), ("i1", 10.0))]
    pl.DataFrame(rows, schema=dtypes(schema)).write_parquet(path)
    store.dataset(ref("ITEMS")).commit(schema, [LogFile(path, "BULK", 2, unique=True)], replace=True)
    current = CurrentRows(store, jobs)
    current.prepare([ref("ITEMS")])
    jobs.run()
    merging = Mock(side_effect=merge)
    monkeypatch.setattr(current_rows, "merge", merging)
    cheap = FilterUse("INCLUDE ItemID WHERE Items.PRICE < 6")
    mask = current.bind([ref("ITEMS")], cheap, Query(0.0)).mask(ITEMS)
    assert ITEMS.filter(pl.Series(mask)).to_list() == ["i0"]
    assert merging.called != is_read


@pytest.mark.parametrize(("few", "is_read"), [(2, True), (1, False)])
def test_events_are_read_once_before_a_filter_asks_if_they_are_few(
    store: DatasetStore, jobs: HeldJobs, monkeypatch: pytest.MonkeyPatch, few: int, *, is_read: bool
) -> None:
    monkeypatch.setattr(current_rows, "_FEW_EVENTS", few)
    imported(store, [row("u0", "i1", 1), row("u1", "i2", 1)])
    current = CurrentRows(store, jobs)
    merging = Mock(side_effect=merge)
    monkeypatch.setattr(current_rows, "merge", merging)
    for _ in range(2):  # as many models of the group are loaded
        current.prepare([EVENTS])
        jobs.run()
    assert merging.call_count == is_read
    assert watched(current, "u0") == "1"
    assert merging.call_count == 1
