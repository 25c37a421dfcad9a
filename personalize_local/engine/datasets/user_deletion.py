"""Delete every row of the listed users, bulk and streamed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from personalize_local.engine.api import DatasetRef, EngineError
from personalize_local.engine.datasets.csv_shape import check_headers
from personalize_local.engine.datasets.dataset_log import DatasetLog
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile
from personalize_local.engine.datasets.schema import Field, Schema, parse_schema

_USERS: Final = Schema("DataDeletion", (Field("USER_ID", "string"),))
_MOST_BYTES: Final = 100_000_000


def delete_users(
    store: DatasetStore, refs: Sequence[DatasetRef], files: Sequence[Path], scratch: Path, run: Callable[..., Any]
) -> int:
    """Delete the users' rows from all datasets that have users; the number of rows deleted.

    `run` runs a function of this module in a worker process: rewriting bulk files takes long.
    """
    users = listed_users(files)
    refs = sorted((ref for ref in refs if ref.type in {"INTERACTIONS", "USERS", "ACTION_INTERACTIONS"}), key=_key)
    deleted = 0
    for ref in refs:
        dataset = store.dataset(ref)
        with dataset.importing:
            deleted += _delete(dataset, parse_schema(ref.schema), users, scratch, run)
    return deleted


def listed_users(files: Sequence[Path]) -> pl.Series:
    """Return the users listed in CSV files of the one column USER_ID, each once.

    Raises EngineError when there is no file, the files are too large or unreadable, or have other columns.
    """
    if not files:
        raise EngineError("There is no CSV file at the data location.")
    if sum(file.stat().st_size for file in files) > _MOST_BYTES:
        raise EngineError(f"The files of a data deletion job can have {_MOST_BYTES // 1_000_000} MB in total.")
    header = check_headers(files, _USERS)
    if header != ["USER_ID"]:
        raise EngineError(f"The files of a data deletion job must have the single column USER_ID, not {header}.")
    try:
        frame = pl.read_csv(list(files), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise EngineError(f"The files of a data deletion job cannot be read: {error}") from error
    return frame["USER_ID"].drop_nulls().unique()


def rewrite_without(log_files: Sequence[LogFile], users: pl.Series, folder: Path) -> dict[Path, LogFile]:
    """Write each log file that has rows of the users again, without them; the new log file of each old path."""
    rewritten = {}
    gone = users.alias("USER_ID").to_frame().lazy()
    for log_file in log_files:
        kept = pl.scan_parquet(log_file.path).join(gone, on="USER_ID", how="anti")
        target = folder / log_file.path.name
        kept.sink_parquet(target, compression="zstd", compression_level=1)
        rows = pl.scan_parquet(target).select(pl.len()).collect().item()
        if rows < log_file.rows:
            rewritten[log_file.path] = LogFile(target, log_file.kind, rows, log_file.unique)
    return rewritten


def _delete(dataset: DatasetLog, schema: Schema, users: pl.Series, scratch: Path, run: Callable[..., Any]) -> int:
    bulk = [log_file for log_file in dataset.freeze(schema) if log_file.kind == "BULK"]
    rewritten = (
        run("personalize_local.engine.datasets.user_deletion:rewrite_without", bulk, users, scratch) if bulk else {}
    )
    return dataset.forget_users(schema, users, rewritten)


def _key(ref: DatasetRef) -> str:
    return ref.key
