"""Write a dataset as CSV files with a header, in the dialect that imports read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from personalize_local.engine.api import DatasetType, EngineError, IngestionMode
from personalize_local.engine.datasets.log_files import different, merge, of_kind
from personalize_local.engine.datasets.schema import Schema
from personalize_local.engine.datasets.snapshot import Snapshot

_EXPORTED: Final = frozenset({"INTERACTIONS", "ITEMS", "USERS"})
_NEEDS_QUOTES: Final = r'[",\\]'


def export(dataset_type: DatasetType, snapshot: Path, target: Path, ingestion: IngestionMode) -> Sequence[Path]:
    """Write the rows to `target`; the files written.

    ALL gives the newest row of each item and user, BULK and PUT alone every differing row that came that way.

    Raises EngineError when there are no rows of the ingestion mode, or actions are to be exported.
    """
    if dataset_type not in _EXPORTED:
        raise EngineError(f"A dataset of type {dataset_type} cannot be exported.")
    frozen = Snapshot.open(snapshot)
    schema, log_files = frozen.schemas[dataset_type], of_kind(frozen.log_files[dataset_type], ingestion)
    rows = (merge if ingestion == "ALL" else different)(log_files, schema, dataset_type)
    if rows is None:
        raise EngineError(f"The dataset has no rows of ingestion mode {ingestion}.")
    target.mkdir(parents=True, exist_ok=True)
    file = target / f"{dataset_type.lower()}.csv"  # the service's own file names are not documented
    _in_dialect(rows, schema).sink_csv(file, quote_style="never")
    return [file]


def _in_dialect(rows: pl.LazyFrame, schema: Schema) -> pl.LazyFrame:
    return rows.select(_quoted(field.name) if field.type == "string" else pl.col(field.name) for field in schema.fields)


def _quoted(name: str) -> pl.Expr:
    """Escape with backslashes as the guide says; a line end becomes a blank, since a record is one line."""
    text = pl.col(name).str.replace_all(r"[\r\n]+", " ")
    escaped = text.str.replace_all(r'(["\\])', r"\$1")
    return pl.when(text.str.contains(_NEEDS_QUOTES)).then(pl.format('"{}"', escaped)).otherwise(text).alias(name)
