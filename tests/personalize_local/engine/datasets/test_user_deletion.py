"""Data deletion jobs: CSV files of the one column USER_ID (fact), 100 MB in total (fact)."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile
from personalize_local.engine.datasets.user_deletion import delete_users, listed_users, rewrite_without
from tests.personalize_local.engine.examples import ref, write


def test_lists_each_user_of_all_files_once(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.csv", "USER_ID", ["u1", '"u2"']), write(tmp_path / "b.csv", "USER_ID", ["u1", "007"])]
    assert sorted(listed_users(files)) == ["007", "u1", "u2"]


def huge(folder: Path) -> list[Path]:
    with (folder / "huge.csv").open("wb") as sparse:
        sparse.truncate(100_000_001)
    return [folder / "huge.csv"]


def latin(folder: Path) -> list[Path]:
    (folder / "latin.csv").write_bytes(b"USER_ID\n\xe4\n")
    return [folder / "latin.csv"]


REFUSED: list[tuple[Callable[[Path], list[Path]], str]] = [
    (lambda _folder: [], "no CSV file at the data location"),
    (lambda folder: [write(folder / "a.csv", "USER_ID,AGE", ["u1,3"])], "the single column USER_ID, not"),
    (lambda folder: [write(folder / "a.csv", "USERS", ["u1"])], r"missing the following columns:\[USER_ID\]"),
    (huge, "100 MB in total"),
    (latin, "cannot be read"),
]


@pytest.mark.parametrize(("files", "reason"), REFUSED)
def test_refuses(tmp_path: Path, files: Callable[[Path], list[Path]], reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        listed_users(files(tmp_path))


def part(folder: Path, name: str, users: list[str]) -> LogFile:
    path = folder / f"{name}.parquet"
    pl.DataFrame({"USER_ID": users, "AGE": [None] * len(users)}).write_parquet(path)
    return LogFile(path, "BULK", len(users), unique=True)


def test_only_parts_with_rows_of_the_users_are_written_again(tmp_path: Path) -> None:
    touched, untouched = part(tmp_path, "touched", ["u1", "u2"]), part(tmp_path, "untouched", ["u3"])
    target = tmp_path / "new"
    target.mkdir()
    rewritten = rewrite_without([touched, untouched], pl.Series(["u1", "u9"]), target)
    assert list(rewritten) == [touched.path]
    assert pl.read_parquet(rewritten[touched.path].path)["USER_ID"].to_list() == ["u2"]


def test_items_have_no_users(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "USER_ID", ["u1"])
    assert delete_users(DatasetStore(tmp_path / "store"), [ref("ITEMS")], [file], tmp_path, print) == 0
