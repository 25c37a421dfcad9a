"""The dataset store against the documented rules of import modes, streamed rows and ids."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_local.engine.api import DatasetType, EngineError
from personalize_local.engine.datasets.dataset_log import DatasetLog
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile, dtypes
from personalize_local.engine.datasets.schema import Schema, parse_schema
from personalize_local.engine.datasets.snapshot import Snapshot, take_snapshot
from tests.personalize_local.engine.examples import INTERACTIONS, STRING_OR_NULL, USERS, avro, field, ref

USERS_SCHEMA, INTERACTIONS_SCHEMA = parse_schema(USERS), parse_schema(INTERACTIONS)


def bulk(folder: Path, rows: list[dict[str, object]], schema: str = USERS) -> LogFile:
    """Return a part as an import leaves it."""
    frame = pl.DataFrame(rows, schema=dtypes(parse_schema(schema)))
    path = folder / f"new{len(list(folder.iterdir()))}.parquet"
    frame.write_parquet(path)
    key = "ITEM_ID" if schema == INTERACTIONS else "USER_ID"
    return LogFile(path, "BULK", frame.height, unique=schema == INTERACTIONS or frame[key].n_unique() == frame.height)


def recent(log: DatasetLog, schema: Schema, user_id: str, since: int) -> pl.DataFrame:
    rows = log.recent(schema, user_id, since)
    assert rows is not None
    return rows


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


@pytest.fixture
def users(store: DatasetStore) -> DatasetLog:
    return store.dataset(ref("USERS"))


def cities(store: DatasetStore, tmp_path: Path, schema: str = USERS) -> dict[str, str]:
    folder = tmp_path / f"snapshot{len(list(tmp_path.iterdir()))}"
    frame = take_snapshot(store, [ref("USERS", schema=schema)], folder).users()
    return {} if frame is None else dict(frame.select("USER_ID", "CITY").collect().iter_rows())


def test_full_replaces_bulk_rows_and_keeps_streamed_ones(
    users: DatasetLog, store: DatasetStore, tmp_path: Path
) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "Rome"}])], replace=True)
    users.append(USERS_SCHEMA, [{"USER_ID": "s", "CITY": "Oslo"}])
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "b", "CITY": "Bonn"}])], replace=True)
    assert cities(store, tmp_path) == {"b": "Bonn", "s": "Oslo"}


def test_incremental_replaces_the_row_of_an_id_whole(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "Rome", "AGE": 30}])], replace=True)
    newer: list[dict[str, object]] = [{"USER_ID": "a", "CITY": "Bonn"}, {"USER_ID": "c", "CITY": "Lima"}]
    users.commit(USERS_SCHEMA, [bulk(tmp_path, newer)], replace=False)
    frame = take_snapshot(store, [ref("USERS")], tmp_path / "now").users()
    assert frame is not None
    assert sorted(frame.collect().rows()) == [("a", None, "Bonn"), ("c", None, "Lima")]
    assert users.count(USERS_SCHEMA, "USERS", "BULK") == 2


def test_the_newest_row_of_an_id_wins_whichever_way_it_came(
    users: DatasetLog, store: DatasetStore, tmp_path: Path
) -> None:
    users.append(USERS_SCHEMA, [{"USER_ID": "a", "CITY": "1"}, {"USER_ID": "b", "CITY": "1"}])
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "2"}])], replace=True)
    assert cities(store, tmp_path) == {"a": "2", "b": "1"}
    users.append(USERS_SCHEMA, [{"USER_ID": "a", "CITY": "3"}, {"USER_ID": "a", "CITY": "4"}])
    assert cities(store, tmp_path) == {"a": "4", "b": "1"}
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "5"}])], replace=False)
    assert cities(store, tmp_path) == {"a": "5", "b": "1"}


def test_within_a_file_the_last_row_of_an_id_wins(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    users.commit(
        USERS_SCHEMA,
        [bulk(tmp_path, [{"USER_ID": "a", "CITY": "1"}, {"USER_ID": "a", "CITY": "2"}])],
        replace=True,
    )
    assert cities(store, tmp_path) == {"a": "2"}
    assert users.count(USERS_SCHEMA, "USERS", "BULK") == 1


def test_equal_interactions_count_once_across_bulk_and_streamed(store: DatasetStore, tmp_path: Path) -> None:
    events = store.dataset(ref("INTERACTIONS"))
    one = {"USER_ID": "u", "ITEM_ID": "i", "EVENT_TYPE": "watch", "TIMESTAMP": 5, "EVENT_VALUE": None}
    two = {**one, "TIMESTAMP": 6}
    events.commit(INTERACTIONS_SCHEMA, [bulk(tmp_path, [one], INTERACTIONS)], replace=True)
    events.append(INTERACTIONS_SCHEMA, [one, two, two])
    rows = take_snapshot(store, [ref("INTERACTIONS")], tmp_path / "now").interactions().collect()
    assert sorted(rows["TIMESTAMP"]) == [5, 6]
    counts = [events.count(INTERACTIONS_SCHEMA, "INTERACTIONS", mode) for mode in ("BULK", "PUT", "ALL")]
    assert counts == [1, 2, 2]


def test_a_snapshot_does_not_change(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "Rome"}])], replace=True)
    take_snapshot(store, [ref("USERS")], tmp_path / "then")
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "b", "CITY": "Bonn"}])], replace=True)
    store.drop(ref("USERS"))
    then = Snapshot.open(tmp_path / "then").users()
    assert then is not None
    assert then.collect()["USER_ID"].to_list() == ["a"]


def test_datasets_that_are_absent_or_empty_have_no_rows(store: DatasetStore, tmp_path: Path) -> None:
    snapshot = take_snapshot(store, [ref("USERS")], tmp_path / "now")
    assert (snapshot.users(), snapshot.items(), snapshot.actions()) == (None, None, None)
    assert snapshot.interactions().collect().is_empty()


def test_everything_survives_a_restart(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "Rome"}])], replace=True)
    users.append(USERS_SCHEMA, [{"USER_ID": "b", "CITY": "Bonn"}])
    users.freeze(USERS_SCHEMA)
    users.append(USERS_SCHEMA, [{"USER_ID": "c", "CITY": "Lima"}])
    again = DatasetStore(store.root)
    assert cities(again, tmp_path) == {"a": "Rome", "b": "Bonn", "c": "Lima"}
    assert again.dataset(ref("USERS")).sequence() == 2


def test_files_stay_while_somebody_reads_them(users: DatasetLog, tmp_path: Path) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a"}])], replace=True)
    with users.reading(USERS_SCHEMA) as log_files:
        users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "b"}])], replace=True)
        assert [log_file.path.exists() for log_file in log_files] == [True]
    assert [log_file.path.exists() for log_file in log_files] == [False]


def test_files_that_a_crash_left_uncounted_go(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "Rome"}])], replace=True)
    (users.folder / "part-000099.parquet").write_bytes(b"half")
    again = DatasetStore(store.root)
    assert cities(again, tmp_path) == {"a": "Rome"}
    assert sorted(path.name for path in users.folder.iterdir()) == ["part-000001.parquet", "state.json"]


def test_rows_streamed_while_others_import_are_all_kept(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    def stream(writer: int) -> None:
        for number in range(100):
            users.append(USERS_SCHEMA, [{"USER_ID": f"{writer}-{number}", "CITY": "x"}])

    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(stream, writer) for writer in range(4)]
        for number in range(5):
            users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": f"bulk{number}"}])], replace=number == 3)
            users.freeze(USERS_SCHEMA)
        for writer in writers:
            writer.result()
    assert len(cities(store, tmp_path)) == 400 + 2
    assert len(cities(DatasetStore(store.root), tmp_path)) == 400 + 2


def test_a_torn_line_of_a_crash_is_left_out(users: DatasetLog, store: DatasetStore) -> None:
    users.append(USERS_SCHEMA, [{"USER_ID": "a", "CITY": "Rome"}])
    (tail,) = users.folder.glob("tail-*.jsonl")
    with tail.open("a") as file:
        file.write('{"USER_ID": "b"')
    assert DatasetStore(store.root).dataset(ref("USERS")).sequence() == 1


def test_recent_rows_are_those_streamed_after_a_mark(store: DatasetStore) -> None:
    events = store.dataset(ref("INTERACTIONS"))
    event = {"USER_ID": "u", "ITEM_ID": "i", "EVENT_TYPE": "watch", "TIMESTAMP": 5}
    events.append(INTERACTIONS_SCHEMA, [event])
    mark = events.sequence()
    events.append(INTERACTIONS_SCHEMA, [{**event, "ITEM_ID": "j"}, {**event, "USER_ID": "v"}])
    assert recent(events, INTERACTIONS_SCHEMA, "u", mark)["ITEM_ID"].to_list() == ["j"]
    events.freeze(INTERACTIONS_SCHEMA)
    assert recent(DatasetStore(store.root).dataset(ref("INTERACTIONS")), INTERACTIONS_SCHEMA, "u", 0).height == 2
    assert events.recent(INTERACTIONS_SCHEMA, "nobody", 0) is None


def test_recent_rows_are_one_object_until_something_changes(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personalize_local.engine.datasets.dataset_log._KEPT_USERS", 2)
    events = store.dataset(ref("INTERACTIONS"))
    event = {"USER_ID": "u", "ITEM_ID": "i", "EVENT_TYPE": "watch", "TIMESTAMP": 5}
    events.append(INTERACTIONS_SCHEMA, [event, {**event, "USER_ID": "v"}, {**event, "USER_ID": "w"}])
    first = recent(events, INTERACTIONS_SCHEMA, "u", 0)
    assert recent(events, INTERACTIONS_SCHEMA, "u", 0) is first
    narrower = parse_schema(avro("Interactions", field("USER_ID"), field("ITEM_ID"), field("TIMESTAMP", "long")))
    assert recent(events, narrower, "u", 0).columns == ["USER_ID", "ITEM_ID", "TIMESTAMP"]
    events.append(INTERACTIONS_SCHEMA, [{**event, "ITEM_ID": "j"}])
    assert recent(events, INTERACTIONS_SCHEMA, "u", 0)["ITEM_ID"].to_list() == ["i", "j"]
    events.forget_users(INTERACTIONS_SCHEMA, pl.Series(["u"]), {})
    events.append(INTERACTIONS_SCHEMA, [{**event, "ITEM_ID": "k"}, {**event, "ITEM_ID": "l"}])
    assert recent(events, INTERACTIONS_SCHEMA, "u", 0)["ITEM_ID"].to_list() == ["k", "l"]
    kept = recent(events, INTERACTIONS_SCHEMA, "u", 0)
    for other in ("v", "w"):
        assert recent(events, INTERACTIONS_SCHEMA, other, 0).height == 1
    assert recent(events, INTERACTIONS_SCHEMA, "u", 0) is not kept  # two others came between


def test_a_younger_schema_gives_old_rows_nulls(users: DatasetLog, store: DatasetStore, tmp_path: Path) -> None:
    users.commit(USERS_SCHEMA, [bulk(tmp_path, [{"USER_ID": "a", "CITY": "Rome"}])], replace=True)
    users.append(USERS_SCHEMA, [{"USER_ID": "b", "CITY": "Bonn"}])
    users.freeze(USERS_SCHEMA)
    wider = avro(
        "Users", field("USER_ID"), field("AGE", ["int", "null"]), field("CITY", STRING_OR_NULL), field("X", "int")
    )
    users.append(parse_schema(wider), [{"USER_ID": "c", "CITY": "Lima", "X": 1}])
    frame = take_snapshot(store, [ref("USERS", schema=wider)], tmp_path / "now").users()
    assert frame is not None
    assert sorted(frame.collect().select("USER_ID", "X").rows()) == [("a", None), ("b", None), ("c", 1)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["FULL", "INCREMENTAL", "PUT"]),
        st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), min_size=1, max_size=4),
    ),
    max_size=9,
)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_of_changes_ends_as_a_table_would(
    tmp_path: Path, steps: list[tuple[str, list[tuple[str, int]]]]
) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    store = DatasetStore(folder / "datasets")
    dataset = store.dataset(ref("USERS"))
    log: list[tuple[str, str, int]] = []
    for how, pairs in steps:
        rows: list[dict[str, object]] = [{"USER_ID": user, "AGE": age} for user, age in pairs]
        if how == "PUT":
            dataset.append(USERS_SCHEMA, rows)
        else:
            dataset.commit(USERS_SCHEMA, [bulk(folder, rows)], replace=how == "FULL")
            log = [entry for entry in log if how == "INCREMENTAL" or entry[0] == "PUT"]
        log += [(how, user, age) for user, age in pairs]
    frame = take_snapshot(store, [ref("USERS")], folder / "now").users()
    found = {} if frame is None else dict(frame.select("USER_ID", "AGE").collect().iter_rows())
    assert found == {user: age for _, user, age in log}


FITTING: list[tuple[DatasetType, dict[str, object], str]] = [
    ("USERS", {"CITY": "Rome"}, "required column USER_ID is missing"),
    ("USERS", {"USER_ID": "a", "AGE": "old"}, "'old' of column AGE is not of type int"),
    ("USERS", {"USER_ID": "a", "AGE": 2**31}, "of column AGE is not of type int"),
    ("USERS", {"USER_ID": "a" * 257}, "Length cannot be more than 256 characters for USER_ID"),
    ("USERS", {"USER_ID": "a", "CITY": "b" * 1001}, "Length cannot be more than 1000 characters for CITY"),
    ("USERS", {"USER_ID": "a", "AGE": 1.5}, "of column AGE is not of type int"),
    (
        "INTERACTIONS",
        {"USER_ID": "u", "ITEM_ID": "i", "EVENT_TYPE": "w", "TIMESTAMP": True},
        "True of column TIMESTAMP",
    ),
]


@pytest.mark.parametrize(("dataset_type", "row", "reason"), FITTING)
def test_streamed_values_must_fit(
    store: DatasetStore, dataset_type: DatasetType, row: dict[str, object], reason: str
) -> None:
    dataset = store.dataset(ref(dataset_type))
    with pytest.raises(EngineError, match=reason):
        dataset.append(parse_schema(ref(dataset_type).schema), [row])
    assert dataset.sequence() == 0


def test_streamed_texts_are_cut(store: DatasetStore) -> None:
    schema = parse_schema(avro("Users", field("USER_ID"), field("BIO", textual=True)))
    dataset = store.dataset(ref("USERS"))
    dataset.append(schema, [{"USER_ID": "u", "BIO": "x" * 20_001}, {"USER_ID": "u", "BIO": "の" * 7_001}])
    assert recent(dataset, schema, "u", 0)["BIO"].str.len_chars().to_list() == [20_000, 7_000]


def test_streamed_values_are_made_to_fit(store: DatasetStore) -> None:
    schema = parse_schema(
        avro("Users", field("USER_ID"), field("AGE", "int"), field("TAGS", categorical=True), field("B", "boolean"))
    )
    dataset = store.dataset(ref("USERS"))
    dataset.append(schema, [{"USER_ID": 7, "AGE": "41", "TAGS": ["a", "b"], "B": "True", "OTHER": 1}])
    assert recent(dataset, schema, "7", 0).rows() == [("7", 41, "a|b", True)]
