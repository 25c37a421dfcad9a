"""Count how many users share two items, and how closely one item follows another in histories."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.sparse_matrices import (
    Sparse,
    cells_of,
    empty,
    from_cells,
    from_rows,
    stacked,
)
from personalize_local.engine.processes.parallel_rows import in_parallel

DENSE_LIMIT = 10_000  # items; above, one dense matrix costs more than 0.4 GB
_DENSE_FROM = 0.25  # share of cells filled; below, a sparse matrix (8 bytes a cell, not 4) is much smaller
_DECAY = 10.0  # events; how fast the influence of an earlier event fades
_BACKWARD = 0.3  # what follows says something about what came before, too
_PAIRS_AT_ONCE = 4_000_000

Matrix = npt.NDArray[np.float32] | Sparse


@dataclass
class CooccurrenceCounts:
    """Counts over the users added so far. A matrix is sparse until it is well filled, and above DENSE_LIMIT items."""

    n_items: int
    window: int  # events ahead that count as following; 0 leaves order out
    popularity: Floats = field(init=False)  # distinct users per item
    transitions: Any = field(init=False)  # row item then column item, faded by the distance between them
    _taken: list[Sparse] = field(init=False, default_factory=list)
    _shared: Any = field(init=False)
    _shared_of: int = field(init=False, default=0)  # how many of `_taken` are in `_shared`

    def __post_init__(self) -> None:
        self.popularity = np.zeros(self.n_items, dtype=np.float32)
        self._shared = empty(self.n_items)
        self.transitions = empty(self.n_items) if self.window else None

    @property
    def n_users(self) -> int:
        """How many users have any item."""
        return sum(part.shape[0] for part in self._taken)

    @property
    def taken(self) -> Sparse:
        """The users that have any item x items, one cell for each pair.

        Returns float32 of shape (users, items).
        """
        if len(self._taken) == 1:
            return self._taken[0]
        return stacked(self._taken) if self._taken else empty(self.n_items)[:0]

    @property
    def shared(self) -> Matrix:
        """The number of users who have both items; counted when it is first asked for.

        Returns float32 of shape (items, items).
        """
        for pairs in self._taken[self._shared_of :]:
            lengths = np.diff(pairs.indptr).astype(np.int64)
            self._shared = self._roomy(self._shared, int((lengths**2).sum()))
            self._shared = _add_product(self._shared, pairs.T.tocsr(), pairs)
        self._shared_of = len(self._taken)
        return cast("Matrix", self._shared)

    @property
    def fits_densely(self) -> bool:
        """Whether one dense matrix of items x items may be afforded."""
        return self.n_items <= DENSE_LIMIT

    def add(self, histories: Histories) -> None:
        """Count these users, too."""
        pairs = histories.unique(self.n_items)
        self.popularity += np.bincount(pairs.indices, minlength=self.n_items).astype(np.float32)
        self._taken.append(pairs[np.flatnonzero(np.diff(pairs.indptr))])
        if self.window:
            self.transitions = self._roomy(self.transitions, len(histories.items) * self.window)
            self.transitions = _add_transitions(self.transitions, histories, self.window)

    def _roomy(self, total: Matrix, added: int) -> Matrix:
        """Return the matrix, dense once the `added` pairs may fill a good part of it."""
        if isinstance(total, np.ndarray) or not self.fits_densely:
            return total
        filled = total.nnz + added
        return total.toarray() if filled > _DENSE_FROM * self.n_items**2 else total


def product(left: Sparse, right: Sparse, *, dense: bool) -> Matrix:
    """Return the sum over users of the left row's cells times the right row's.

    Both are float32 of shape (users, items); the answer float32 of shape (items, items).
    """
    size = left.shape[1]
    total: Matrix = np.zeros((size, size), dtype=np.float32) if dense else empty(size)
    return _add_product(total, left.T.tocsr(), right)


def _add_product(total: Matrix, left: Sparse, right: Sparse) -> Matrix:
    """Add the product of two sparse matrices, in blocks of rows on all cores."""
    height = max(1, min(512, left.shape[0] // 8))
    if isinstance(total, np.ndarray):

        def into_dense(first: int, last: int) -> None:
            for start in range(first, last, height):
                stop = min(start + height, last)
                total[start:stop] += (left[start:stop] @ right).toarray()

        in_parallel(into_dense, left.shape[0], height)
        return total
    return csr_array(total + left @ right)


def _add_transitions(total: Matrix, histories: Histories, window: int) -> Matrix:
    """Add exp(-(d - 1) / decay) for each pair of a user's events d apart, a band of items on each core."""
    n_items = total.shape[0]
    by_item = np.argsort(histories.items, kind="stable")
    begins = np.searchsorted(histories.items[by_item], np.arange(n_items + 1))
    height = max(1, min(512, n_items // 8, n_items * _PAIRS_AT_ONCE // max(1, len(by_item) * window)))
    left = histories.ages()
    bands: dict[int, Sparse] = {}

    def band(first: int, last: int) -> None:
        for start in range(first, last, height):
            stop = min(start + height, last)
            edges = begins[start : stop + 1]
            cells = _later_items(histories, by_item[edges[0] : edges[-1]], left, window)
            offsets = np.concatenate([[0], np.cumsum(cells.lengths)])[edges - edges[0]]
            pairs = from_rows(cells.weights, cells.items, offsets, n_items)
            if isinstance(total, np.ndarray):
                total[start:stop] += pairs.toarray()  # sums the cells that are there more than once
            else:
                pairs.sum_duplicates()
                bands[start] = pairs

    in_parallel(band, n_items, height)
    return total if isinstance(total, np.ndarray) else csr_array(total + vstack([bands[key] for key in sorted(bands)]))


class _Cells(NamedTuple):
    lengths: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    weights: Floats


def _later_items(
    histories: Histories, events: npt.NDArray[np.int64], left: npt.NDArray[np.int64], window: int
) -> _Cells:
    """Return for each event the items of up to `window` events after it in the same history, and their weights."""
    distances = np.arange(1, window + 1)
    within = distances <= left[events][:, None]
    later = (events[:, None] + distances)[within]
    fades = np.exp(-(distances - 1) / _DECAY).astype(np.float32)
    weights = np.broadcast_to(fades, within.shape)[within] * histories.weights[later]
    return _Cells(within.sum(axis=1), histories.items[later], weights)


def both_ways(transitions: Matrix, popularity: Floats) -> Matrix:
    """Return the following scores with a share of their mirror image, discounted by how common both items are.

    All are float32: both matrices of shape (items, items), dense or sparse alike, `popularity` (items,).
    """
    rows = np.maximum(popularity, 1) ** -0.5
    columns = np.maximum(popularity, 1) ** -0.3
    if isinstance(transitions, np.ndarray):
        mixed = transitions + np.float32(_BACKWARD) * transitions.T
        np.fill_diagonal(mixed, 0)
        mixed *= rows[:, None]
        mixed *= columns[None, :]
        return mixed
    data, row, column = cells_of(csr_array(transitions + _BACKWARD * transitions.T))
    data = data * rows[row] * columns[column] * (row != column)
    return from_cells(data, row, column, transitions.shape)


def strongest(matrix: Matrix, keep: int) -> Sparse:
    """Return the matrix with only the `keep` cells of largest absolute value in each row.

    The matrix is float32, dense or sparse; so is the answer, which is sparse.
    """
    if isinstance(matrix, np.ndarray):
        return _strongest_of_dense(matrix, keep)
    lengths = np.diff(matrix.indptr)
    rows = np.repeat(np.arange(matrix.shape[0]), lengths)
    order = np.lexsort((-np.abs(matrix.data), rows))
    number_in_row = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], lengths)
    kept = np.sort(order[number_in_row < keep])
    return from_cells(matrix.data[kept], rows[kept], matrix.indices[kept], matrix.shape)


def _strongest_of_dense(matrix: npt.NDArray[np.float32], keep: int) -> Sparse:
    n_rows, n_columns = matrix.shape
    if n_rows == 0 or n_columns == 0:
        return csr_array(matrix)
    blocks: dict[int, Sparse] = {}

    def band(first: int, last: int) -> None:
        for start in range(first, last, 256):
            blocks[start] = _strongest_cells(matrix[start : min(start + 256, last)], min(keep, n_columns))

    in_parallel(band, n_rows, 256)
    return stacked([blocks[start] for start in sorted(blocks)])


def _strongest_cells(rows: npt.NDArray[np.float32], keep: int) -> Sparse:
    """Return the cells no smaller than the row's `keep`-th; of those equal to it, the first ones."""
    n_columns = rows.shape[1]
    size = np.abs(rows)
    floor = np.partition(size, n_columns - keep, axis=1)[:, n_columns - keep, None]  # numpy partitions in vectors
    kept = size >= np.maximum(floor, np.finfo(np.float32).tiny)
    for row in np.flatnonzero(kept.sum(axis=1) > keep):
        ties = np.flatnonzero(size[row] == floor[row])
        kept[row, ties[keep - np.count_nonzero(size[row] > floor[row]) :]] = False
    flat = np.flatnonzero(kept)
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return from_rows(rows.ravel()[flat], (flat % n_columns).astype(np.int32), offsets, n_columns)
