"""Read the rows of a dataset from a log of immutable Parquet files.

Bulk imports and streamed rows are log files of one log, in order of arrival. Interactions are a set of rows: exact
duplicates count once. Items, users and actions are known by an id: the newest row of an id replaces older ones whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from personalize_local.engine.api import DatasetType, IngestionMode
from personalize_local.engine.datasets.schema import Schema

SEQUENCE: Final = "#sequence"  # the order of streamed rows; no schema can have a column of this name

_DTYPES: Final[Mapping[str, type[pl.DataType]]] = {
    "string": pl.String,
    "int": pl.Int32,
    "long": pl.Int64,
    "float": pl.Float32,
    "double": pl.Float64,
    "boolean": pl.Boolean,
}
_FEW_PARTS: Final = 4
_IDS: Final[Mapping[DatasetType, str]] = {"ITEMS": "ITEM_ID", "USERS": "USER_ID", "ACTIONS": "ACTION_ID"}


@dataclass(frozen=True)
class LogFile:
    """One Parquet file of the log."""

    path: Path
    kind: Literal["BULK", "PUT"]
    rows: int
    unique: bool  # no two rows have the same id (or, without ids, are the same)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads; the folder is left to the reader."""
        return {"file": self.path.name, "kind": self.kind, "rows": self.rows, "unique": self.unique}

    @staticmethod
    def from_json(folder: Path, entry: Mapping[str, Any]) -> "LogFile":
        """Return the log file described by `entry`, whose file is in `folder`."""
        return LogFile(folder / entry["file"], entry["kind"], entry["rows"], entry["unique"])


def id_column(dataset_type: DatasetType) -> str | None:
    """Return the column that tells rows of the type apart; None for interactions."""
    return _IDS.get(dataset_type)


def dtypes(schema: Schema) -> dict[str, type[pl.DataType]]:
    """Return the polars type of each column, in schema order."""
    return {field.name: _DTYPES[field.type] for field in schema.fields}


def scan(log_file: LogFile, schema: Schema) -> pl.LazyFrame:
    """Return the log file's rows with the columns of `schema`; columns younger than the log file are null."""
    frame = pl.scan_parquet(log_file.path)
    present = frame.collect_schema().names()
    return frame.select(
        pl.col(name) if name in present else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in dtypes(schema).items()
    )


def merge(log_files: Sequence[LogFile], schema: Schema, dataset_type: DatasetType) -> pl.LazyFrame | None:
    """Return what the log says now: newest row per id, or every different interaction. None without rows."""
    filled = [log_file for log_file in log_files if log_file.rows]
    key = id_column(dataset_type)
    if key is None:
        return different(filled, schema, dataset_type)
    return _newest(filled, schema, key) if filled else None


def different(log_files: Sequence[LogFile], schema: Schema, dataset_type: DatasetType) -> pl.LazyFrame | None:
    """Return every row of the log once, also several of one id. None without rows.

    Bulk log files of interactions never share a row (imports see to it), so only the few streamed rows are compared.
    """
    bulk = [scan(log_file, schema) for log_file in log_files if log_file.rows and log_file.kind == "BULK"]
    put = [scan(log_file, schema) for log_file in log_files if log_file.rows and log_file.kind == "PUT"]
    if id_column(dataset_type) is not None and bulk + put:
        return pl.concat(bulk + put).unique()
    if not put:
        return pl.concat(bulk) if bulk else None
    streamed = pl.concat(put).unique()
    if not bulk:
        return streamed
    rest = pl.concat(bulk).join(streamed, on=schema.columns, how="anti", nulls_equal=True)
    return pl.concat([rest, streamed])


def _newest(log_files: Sequence[LogFile], schema: Schema, key: str) -> pl.LazyFrame:
    """Return the newest row of each id: by joins that stream while there are few log files, else in one pass."""
    if len(log_files) > _FEW_PARTS:
        everything = pl.concat([scan(log_file, schema) for log_file in log_files])
        return everything.unique(subset=key, keep="last", maintain_order=True)
    frames: list[pl.LazyFrame] = []
    newer: list[pl.LazyFrame] = []
    for log_file in reversed(log_files):
        frame = scan(log_file, schema)
        if not log_file.unique:
            frame = frame.unique(subset=key, keep="last", maintain_order=True)
        if newer:
            frame = frame.join(pl.concat(newer), on=key, how="anti")
        frames.append(frame)
        newer.append(scan(log_file, schema).select(key))
    return pl.concat(reversed(frames))


def of_kind(log_files: Sequence[LogFile], ingestion: IngestionMode) -> list[LogFile]:
    """Return the log files that came by bulk import, by streaming, or all."""
    return [log_file for log_file in log_files if ingestion in {log_file.kind, "ALL"}]


def count(log_files: Sequence[LogFile], schema: Schema, dataset_type: DatasetType) -> int:
    """Return how many rows `merge` gives."""
    filled = [log_file for log_file in log_files if log_file.rows]
    disjoint = id_column(dataset_type) is None or len(filled) == 1
    if disjoint and all(log_file.kind == "BULK" and log_file.unique for log_file in filled):
        return sum(log_file.rows for log_file in filled)
    merged = merge(filled, schema, dataset_type)
    return 0 if merged is None else int(merged.select(pl.len()).collect(engine="streaming").item())
