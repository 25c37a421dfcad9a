"""Turn CSV files into one Parquet file: streamed, checked, and free of exact duplicates.

The rows are read once, in the columns' types. Only when that fails, or a check over a finished column does, are the
files read again to find the first bad row: good files pay nothing for good error messages.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from personalize_local.engine.api import DatasetType, EngineError, ImportMode, ImportReport
from personalize_local.engine.datasets.csv_shape import (
    check_encoding,
    check_headers,
    check_lines,
    check_shape,
    has_byte,
    without_backslashes,
)
from personalize_local.engine.datasets.csv_values import acceptable, first_bad_value, kept
from personalize_local.engine.datasets.duplicate_rows import drop_duplicates, drop_known, ids_are_unique
from personalize_local.engine.datasets.log_files import LogFile, count, dtypes, id_column, of_kind
from personalize_local.engine.datasets.schema import Schema, parse_schema

_GIGABYTE: Final = 1_000_000_000
_MOST_BYTES: Final = {"FULL": 100 * _GIGABYTE, "INCREMENTAL": _GIGABYTE}
_FEWEST_INTERACTIONS: Final = 1_000


@dataclass(frozen=True)
class ImportTask:
    """What a worker needs to import files: the rows go to `incoming`, an empty folder beside the dataset's own."""

    type: DatasetType
    schema: str
    files: Sequence[Path]
    mode: ImportMode
    incoming: Path
    existing: Sequence[LogFile]


def import_csv(task: ImportTask) -> tuple[LogFile, ImportReport]:
    """Return the new bulk rows and what to report; raise an EngineError that reads like a failureReason."""
    try:
        return _import(task)
    except EngineError as error:
        raise EngineError(f"Failed to create a data import job for {task.type} dataset. {error}") from error


def _import(task: ImportTask) -> tuple[LogFile, ImportReport]:
    schema = parse_schema(task.schema)
    _check_sizes(task)
    header = check_headers(task.files, schema)
    log_file = _read(task, schema, header)
    rows_read = log_file.rows
    if not rows_read:
        raise EngineError("Input CSV has no rows.")
    if task.type == "INTERACTIONS" and rows_read < _FEWEST_INTERACTIONS:
        raise EngineError(f"An import needs at least {_FEWEST_INTERACTIONS} interactions; Input CSV has {rows_read}.")
    kept = of_kind(task.existing, "BULK") if task.mode == "INCREMENTAL" else []
    log_file = _without_duplicates(log_file, schema, task.type, kept)
    return log_file, ImportReport(rows_read, count([*kept, log_file], schema, task.type))


def _check_sizes(task: ImportTask) -> None:
    if not task.files:
        raise EngineError("There is no CSV file at the data location.")
    size = sum(file.stat().st_size for file in task.files)
    if size > _MOST_BYTES[task.mode]:
        most = _MOST_BYTES[task.mode] // _GIGABYTE
        raise EngineError(f"{task.mode} imports can have at most {most} GB; the input has {size / _GIGABYTE:.2f} GB.")
    if task.mode == "INCREMENTAL" and not of_kind(task.existing, "BULK"):
        raise EngineError("The first bulk import into a dataset must be FULL.")


def _read(task: ImportTask, schema: Schema, header: Sequence[str]) -> LogFile:
    with tempfile.TemporaryDirectory(dir=task.incoming) as scratch:
        files = [without_backslashes(file, Path(scratch)) for file in task.files]
        tail_may_be_missing = any(field.name == header[-1] and field.nullable for field in schema.fields)
        for file in files:
            if tail_may_be_missing or header[-1] not in schema.columns or has_byte(file, b'"'):
                check_shape(file, len(header))
        try:
            return _typed(files, schema, task.incoming / "typed.parquet")
        except (pl.exceptions.PolarsError, _RefusedValueError) as error:
            raise _explained(files, schema, header, error) from error


class _RefusedValueError(Exception):
    """A column holds a value it must not."""


def _typed(files: Sequence[Path], schema: Schema, target: Path) -> LogFile:
    frame = pl.scan_csv(list(files), schema_overrides=dtypes(schema), infer_schema=False)
    frame.select(kept(field).alias(field.name) for field in schema.fields).sink_parquet(
        target, compression="zstd", compression_level=1
    )
    checks = pl.scan_parquet(target).select(pl.len().alias("#rows"), *[acceptable(field) for field in schema.fields])
    verdict = checks.collect(engine="streaming").row(0, named=True)
    refused = [name for name in schema.columns if not verdict[name]]
    if refused:
        raise _RefusedValueError(", ".join(refused))
    return LogFile(target, "BULK", verdict["#rows"], unique=False)


def _explained(files: Sequence[Path], schema: Schema, header: Sequence[str], error: Exception) -> EngineError:
    """Return the error that names the first bad row; the reader's own words only if no row can be blamed."""
    for file in files:
        check_encoding(file)
        check_lines(file, len(header))
    reason = first_bad_value(files, schema)
    return EngineError(reason or f"Input CSV cannot be read: {error}")


def _without_duplicates(
    log_file: LogFile, schema: Schema, dataset_type: DatasetType, existing: Sequence[LogFile]
) -> LogFile:
    log_file = drop_duplicates(log_file, schema, dataset_type)
    key = id_column(dataset_type)
    if key is not None:
        return replace(log_file, unique=ids_are_unique(log_file, key))
    return replace(drop_known(log_file, schema, existing), unique=True)
