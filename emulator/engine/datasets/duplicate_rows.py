"""Rows that are the same in every column count once: found by their 64-bit hashes, removed by their values."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from emulator.engine.api import DatasetType
from emulator.engine.datasets.log_files import Part, id_column, scan
from emulator.engine.datasets.schema import Schema

_HASH: Final = "#hash"


def drop_duplicates(part: Part, schema: Schema, dataset_type: DatasetType) -> Part:
    """Return the part without repeated rows. Where rows have ids, the last of equal rows stays, in file order."""
    frame = scan(part, schema)
    repeated = _repeated(frame.select(_hash(schema.columns)).collect(engine="streaming")[_HASH])
    if not len(repeated):
        return part
    if id_column(dataset_type) is not None:
        return _write(part, frame.unique(keep="last", maintain_order=True))
    suspects = pl.LazyFrame({_HASH: repeated})
    hashed = frame.with_columns(_hash(schema.columns))
    once = hashed.join(suspects, on=_HASH, how="anti").select(schema.columns)
    again = hashed.join(suspects, on=_HASH, how="semi").select(schema.columns).unique()
    return _write(part, pl.concat([once, again]))


def drop_known(part: Part, schema: Schema, existing: Sequence[Part]) -> Part:
    """Return the part of interactions without the rows that the existing parts hold already."""
    if not existing:
        return part
    new = scan(part, schema)
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
        return part
    return _write(part, new.join(known.lazy(), on=schema.columns, how="anti", nulls_equal=True))


def ids_are_unique(part: Part, key: str) -> bool:
    """Return whether no id occurs twice in the part."""
    ids = pl.scan_parquet(part.path).select(pl.col(key).hash().alias(_HASH)).collect(engine="streaming")
    return not len(_repeated(ids[_HASH]))


def _hash(columns: Sequence[str]) -> pl.Expr:
    return pl.struct(columns).hash().alias(_HASH)


def _repeated(hashes: pl.Series) -> npt.NDArray[np.uint64]:
    ordered = np.sort(hashes.to_numpy())
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _write(part: Part, frame: pl.LazyFrame) -> Part:
    target = _beside(part.path)
    frame.sink_parquet(target, compression="zstd", compression_level=1)
    rows = pl.scan_parquet(target).select(pl.len()).collect().item()
    part.path.unlink()
    return Part(target, part.kind, rows, part.unique)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}-fewer.parquet")
