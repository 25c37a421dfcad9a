"""Remove rows that are the same in every column: found by their 64-bit hashes, compared by their values."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import DatasetType
from personalize_local.engine.datasets.log_files import LogFile, id_column, scan
from personalize_local.engine.datasets.schema import Schema

_HASH: Final = "#hash"


def drop_duplicates(log_file: LogFile, schema: Schema, dataset_type: DatasetType) -> LogFile:
    """Return the log file without repeated rows. Where rows have ids, the last of equal rows stays, in file order."""
    frame = scan(log_file, schema)
    repeated = _repeated(frame.select(_hash(schema.columns)).collect(engine="streaming")[_HASH])
    if not len(repeated):
        return log_file
    if id_column(dataset_type) is not None:
        return _write(log_file, frame.unique(keep="last", maintain_order=True))
    suspects = pl.LazyFrame({_HASH: repeated})
    hashed = frame.with_columns(_hash(schema.columns))
    once = hashed.join(suspects, on=_HASH, how="anti").select(schema.columns)
    again = hashed.join(suspects, on=_HASH, how="semi").select(schema.columns).unique()
    return _write(log_file, pl.concat([once, again]))


def drop_known(log_file: LogFile, schema: Schema, existing: Sequence[LogFile]) -> LogFile:
    """Return the log file of interactions without the rows that the existing log files hold already."""
    if not existing:
        return log_file
    new = scan(log_file, schema)
    first, last = new.select(
        pl.col("TIMESTAMP").min().alias("first"), pl.col("TIMESTAMP").max().alias("last")
    ).collect()
    overlap = pl.concat([scan(old, schema) for old in existing]).filter(
        pl.col("TIMESTAMP").is_between(first.item(), last.item())
    )
    hashes = new.select(_hash(schema.columns)).unique()
    suspects = overlap.with_columns(_hash(schema.columns)).join(hashes, on=_HASH, how="semi").select(schema.columns)
    known = suspects.collect(engine="streaming")
    if known.is_empty():
        return log_file
    return _write(log_file, new.join(known.lazy(), on=schema.columns, how="anti", nulls_equal=True))


def ids_are_unique(log_file: LogFile, key: str) -> bool:
    """Return whether no id occurs twice in the log file."""
    ids = pl.scan_parquet(log_file.path).select(pl.col(key).hash().alias(_HASH)).collect(engine="streaming")
    return not len(_repeated(ids[_HASH]))


def _hash(columns: Sequence[str]) -> pl.Expr:
    return pl.struct(columns).hash().alias(_HASH)


def _repeated(hashes: pl.Series) -> npt.NDArray[np.uint64]:
    ordered = np.sort(hashes.to_numpy())
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _write(log_file: LogFile, frame: pl.LazyFrame) -> LogFile:
    target = _beside(log_file.path)
    frame.sink_parquet(target, compression="zstd", compression_level=1)
    rows = pl.scan_parquet(target).select(pl.len()).collect().item()
    log_file.path.unlink()
    return LogFile(target, log_file.kind, rows, log_file.unique)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}-fewer.parquet")
