"""Find which items are described alike, for items that too few interactions speak about."""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array, vstack

from personalize_local.engine.interactions.sparse_matrices import (
    Sparse,
    cells_of,
    from_cells,
    from_rows,
    strongest,
    widened,
)
from personalize_local.engine.interactions.training_data import Catalogue
from personalize_local.engine.interactions.training_options import TrainingOptions

Positions = npt.NDArray[np.integer]

_NEIGHBOURS = 10
_NOT_FEATURES = frozenset({"ITEM_ID", "CREATION_TIMESTAMP"})
_BUCKETS = 10


def features(catalogue: Catalogue, options: TrainingOptions) -> Sparse | None:
    """Return items x values of their columns, rare values weighing more, rows of length one; None without any.

    Returns float32 of shape (items, values).
    """
    metadata = catalogue.metadata
    if metadata is None:
        return None
    usable = [name for name in metadata.columns if name not in _NOT_FEATURES]
    blocks = [_values(metadata[name]) for name in options.columns("ITEMS", usable)]
    blocks = [block for block in blocks if len(block)]
    if not blocks:
        return None
    return _one_hot(blocks, len(catalogue))


def _values(column: pl.Series) -> pl.DataFrame:
    """Return (row, value) for each value of a column: categories are split at "|", numbers become tenths."""
    frame = pl.DataFrame({"row": np.arange(len(column)), "value": column})
    if column.dtype.is_numeric():
        edges = [column.quantile(cut / _BUCKETS) for cut in range(1, _BUCKETS)]
        found = np.searchsorted(np.unique([edge for edge in edges if edge is not None]), column.fill_null(0).to_numpy())
        frame = frame.with_columns(pl.Series("value", found)).filter(column.is_not_null())
    else:
        frame = frame.with_columns(pl.col("value").cast(pl.String).str.split("|")).explode("value")
    frame = frame.drop_nulls().filter(pl.col("value").cast(pl.String) != "")
    return frame.select("row", value=pl.lit(column.name + "=") + pl.col("value").cast(pl.String))


def _one_hot(blocks: list[pl.DataFrame], n_items: int) -> Sparse:
    pairs = pl.concat(blocks).unique(maintain_order=True)
    columns = pairs["value"].rank("dense").to_numpy().astype(np.int64) - 1
    counts = np.bincount(columns)
    weights = np.log1p(n_items / counts[columns])
    matrix = from_cells(weights, pairs["row"].to_numpy(), columns, (n_items, len(counts)))
    data, rows, _ = cells_of(matrix)
    lengths = np.sqrt(np.maximum(np.bincount(rows, weights=data**2, minlength=n_items), 1e-12))
    return from_rows((data / lengths[rows]).astype(np.float32), matrix.indices, matrix.indptr, len(counts))


def alike(matrix: Sparse, items: Positions, others: Positions, keep: int) -> Sparse:
    """Return for each of `items` the cosine to the most alike of `others`: rows and columns in the given orders.

    `matrix` is float32 of shape (items, values); the answer float32 of shape (len(items), len(others)).
    """
    right = matrix[others].T.tocsr()
    blocks = [
        strongest(csr_array(matrix[items[start : start + 256]] @ right), keep) for start in range(0, len(items), 256)
    ]
    return csr_array(vstack(blocks))


def shares_of_alike(catalogue: Catalogue, options: TrainingOptions) -> Sparse | None:
    """Return for each item without interactions how much it is like each item with some; each row sums to one.

    None when there are no such items, or nothing describes them.

    Returns float32 of shape (items without interactions, items with some).
    """
    size, warm = len(catalogue), catalogue.warm
    described = features(catalogue, options) if size > warm else None
    if described is None:
        return None
    likeness = alike(described, np.arange(warm, size), np.arange(warm), _NEIGHBOURS)
    cosine, rows, _ = cells_of(likeness)
    sums = np.maximum(np.bincount(rows, weights=cosine, minlength=size - warm), 1e-12)
    return from_rows((cosine / sums[rows]).astype(np.float32), likeness.indices, likeness.indptr, warm)


def with_cold_items(weights: Sparse, shares: Sparse | None, size: int) -> Sparse:
    """Return the item-to-item weights over all items: one without interactions is listed as the items like it are.

    `weights` is float32 of shape (items with interactions,) squared, the answer float32 (size, size).
    """
    if shares is None:
        return widened(weights, size)
    cold = cells_of(strongest(csr_array(weights @ shares.T), 2 * _NEIGHBOURS))
    known = cells_of(weights)
    return from_cells(
        np.concatenate([known[0], cold[0]]),
        np.concatenate([known[1], cold[1]]),
        np.concatenate([known[2], cold[2] + weights.shape[0]]),
        (size, size),
    )
