"""Exports: the documented row rules, and files that an import reads back."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_local.engine.api import EngineError, IngestionMode
from personalize_local.engine.datasets.csv_export import export
from personalize_local.engine.datasets.csv_import import ImportTask, import_csv
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile, dtypes
from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.datasets.snapshot import take_snapshot
from tests.personalize_local.engine.examples import ITEMS, USERS, ref

SCHEMA = parse_schema(USERS)


def frozen(folder: Path, *log_files: tuple[str, list[dict[str, object]]]) -> Path:
    """Return a snapshot of users that came in this order, by import or streamed."""
    store = DatasetStore(folder / "store")
    dataset = store.dataset(ref("USERS"))
    for number, (kind, rows) in enumerate(log_files):
        if kind == "PUT":
            dataset.append(SCHEMA, rows)
        else:
            path = folder / f"{number}.parquet"
            pl.DataFrame(rows, schema=dtypes(SCHEMA)).write_parquet(path)
            dataset.commit(SCHEMA, [LogFile(path, "BULK", len(rows), unique=False)], replace=False)
    take_snapshot(store, [ref("USERS")], folder / "frozen")
    return folder / "frozen"


A1: dict[str, object] = {"USER_ID": "a", "CITY": "1"}
A2: dict[str, object] = {"USER_ID": "a", "CITY": "2"}
B: dict[str, object] = {"USER_ID": "b", "CITY": "1"}


@pytest.mark.parametrize(
    ("ingestion", "lines"),
    [("ALL", ["a,,2", "b,,1"]), ("BULK", ["a,,1", "a,,2", "b,,1"]), ("PUT", ["a,,1", "a,,2"])],
)
def test_all_gives_the_newest_rows_and_one_way_alone_every_differing_row(
    tmp_path: Path, ingestion: IngestionMode, lines: list[str]
) -> None:
    snapshot = frozen(tmp_path, ("BULK", [A1, B]), ("PUT", [A1, A2, A2]), ("BULK", [A2, B]))
    (file,) = export("USERS", snapshot, tmp_path / "out", ingestion)
    header, *rows = file.read_text().splitlines()
    assert (header, sorted(rows)) == ("USER_ID,AGE,CITY", lines)


def test_without_rows_of_the_mode_an_export_fails(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no rows of ingestion mode PUT"):
        export("USERS", frozen(tmp_path, ("BULK", [A1])), tmp_path / "out", "PUT")


def test_actions_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="ACTIONS cannot be exported"):
        export("ACTIONS", tmp_path, tmp_path, "ALL")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1, max_size=20)


@given(texts=st.lists(TEXT, min_size=1, max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_import_reads_back_what_an_export_wrote(tmp_path: Path, texts: list[str]) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    schema = parse_schema(ITEMS)
    store = DatasetStore(folder / "store")
    items = ref("ITEMS")
    rows = [{"ITEM_ID": f"i{n}", "TITLE": text, "PRICE": 0.1} for n, text in enumerate(texts)]
    store.dataset(items).append(schema, rows)
    take_snapshot(store, [items], folder / "frozen")
    files = export("ITEMS", folder / "frozen", folder / "out", "ALL")
    log_file, _ = import_csv(ImportTask("ITEMS", ITEMS, files, "FULL", folder, []))
    back = dict(pl.read_parquet(log_file.path).select("ITEM_ID", "TITLE").iter_rows())
    assert back == {f"i{n}": text for n, text in enumerate(texts)}


def test_a_line_end_in_a_value_becomes_a_blank(tmp_path: Path) -> None:
    snapshot = frozen(tmp_path, ("PUT", [{"USER_ID": "a", "CITY": "one\r\ntwo"}]))
    (file,) = export("USERS", snapshot, tmp_path / "out", "PUT")
    assert file.read_text() == "USER_ID,AGE,CITY\na,,one two\n"
