"""Make sparse matrices under one type that the type checker follows, whole or from the strongest cells of each row."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, vstack

from personalize_local.engine.processes.parallel_rows import in_parallel

Sparse: TypeAlias = csr_array[Any, tuple[int, int]]

_ROWS_AT_ONCE = 256
_CELLS_AT_ONCE = 4_000_000  # of a block of rows that is to be cut


def from_cells(
    data: npt.NDArray[Any], rows: npt.NDArray[Any], columns: npt.NDArray[Any], shape: tuple[int, int]
) -> Sparse:
    """Return the matrix with these cells; those given more than once are added up.

    Values are kept as float32; `rows` and `columns` are integers (int32 or int64) of the length of `data`.
    """
    cells: Any = (np.asarray(data, dtype=np.float32), (rows, columns))
    return cast("Sparse", csr_array(cast("Any", coo_array(cells, shape=shape))))


def from_rows(data: npt.NDArray[Any], indices: npt.NDArray[Any], indptr: npt.NDArray[Any], columns: int) -> Sparse:
    """Return the matrix whose rows lie one after the other, as csr_array keeps them.

    `data` is float32, `indices` int32, and row r is at indptr[r] to before indptr[r + 1] of both.
    """
    return cast("Sparse", csr_array(cast("Any", (data, indices, indptr)), shape=(len(indptr) - 1, columns)))


def empty(size: int) -> Sparse:
    """Return a square matrix of zeros.

    Returns float32 of shape (size, size).
    """
    return cast("Sparse", csr_array(cast("Any", (size, size)), dtype=np.float32))


def stacked(blocks: Sequence[Sparse]) -> Sparse:
    """Return the matrix whose rows are those of the blocks, one block after the other.

    Returns float32, as the blocks are.
    """
    return cast("Sparse", csr_array(vstack(list(blocks))))


def widened(matrix: Sparse, size: int) -> Sparse:
    """Return the matrix with zero rows and columns added up to size x size.

    Returns float32, as the matrix is.
    """
    added = np.full(size - matrix.shape[0], matrix.indptr[-1], dtype=matrix.indptr.dtype)
    return from_rows(matrix.data, matrix.indices, np.concatenate([matrix.indptr, added]), size)


def placed(rows: Sparse, places: npt.NDArray[np.int64], height: int) -> Sparse:
    """Return a matrix of that height that has these rows in these places, int64 and ascending, and no other cells.

    Returns float32, as the rows are.
    """
    lengths = np.zeros(height + 1, dtype=rows.indptr.dtype)
    lengths[places + 1] = np.diff(rows.indptr)
    return from_rows(rows.data, rows.indices, np.cumsum(lengths, dtype=rows.indptr.dtype), rows.shape[1])


def cells_of(matrix: Sparse) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the values of a matrix with the row and column of each.

    Returns float32 values, int64 rows, int32 columns, in the order of the rows.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return matrix.data, rows, matrix.indices


def product(left: Sparse, right: Sparse, *, dense: bool) -> npt.NDArray[np.float32] | Sparse:
    """Return the sum over users of the left row's cells times the right row's.

    Both are float32 of shape (users, items); the answer float32 of shape (items, items).
    """
    size = left.shape[1]
    total: npt.NDArray[np.float32] | Sparse = np.zeros((size, size), dtype=np.float32) if dense else empty(size)
    return plus_product(total, left.T.tocsr(), right)


def plus_product(
    total: npt.NDArray[np.float32] | Sparse, left: Sparse, right: Sparse
) -> npt.NDArray[np.float32] | Sparse:
    """Return the total, a dense one in place, plus the product, in blocks of rows on all cores.

    All are float32: the total of shape (rows of `left`, columns of `right`).
    """
    height = max(1, min(512, left.shape[0] // 8))
    if isinstance(total, np.ndarray):

        def into_dense(first: int, last: int) -> None:
            for start in range(first, last, height):
                stop = min(start + height, last)
                total[start:stop] += (left[start:stop] @ right).toarray()

        in_parallel(into_dense, left.shape[0], height)
        return total
    return csr_array(total + left @ right)


def by_activity(taken: Sparse, power: float) -> Sparse:
    """Return users x items with each user's cells over the power of their sum: who has everything says little.

    `taken` is float32 of shape (users, items), and so is the answer.
    """
    sums = np.maximum(np.asarray(taken.sum(axis=1)).ravel(), 1e-9)
    shares = np.repeat(sums**-power, np.diff(taken.indptr)).astype(np.float32)
    return from_rows(taken.data * shares, taken.indices, taken.indptr, taken.shape[1])


def scaled_cells(
    matrix: Sparse, rows: npt.NDArray[np.float32], columns: npt.NDArray[np.float32], first: int = 0
) -> Sparse:
    """Return some rows of a square matrix, from `first` on, times factors of rows and columns, the diagonal zero.

    All are float32: the matrix of shape (len(rows), len(columns)).
    """
    data, row, column = cells_of(matrix)
    values = data * rows[row] * columns[column] * (row + first != column)
    return from_rows(values.astype(np.float32), matrix.indices, matrix.indptr, matrix.shape[1])


def strongest_rows(rows: Callable[[int, int], Sparse], sizes: npt.NDArray[Any], keep: int) -> Sparse:
    """Return the matrix of which `rows(start, stop)` makes a block, with the `keep` strongest cells of each row.

    Blocks are made on all cores, each of some millions of cells, so that the whole is never there before it is cut.
    `sizes` are integers or floats of shape (rows,): the most cells a row can have. The answer is float32.
    """
    edges = np.concatenate([[0], np.cumsum(sizes)])
    blocks: dict[int, Sparse] = {}

    def band(start: int, last: int) -> None:
        while start < last:
            room = int(np.searchsorted(edges, edges[start] + _CELLS_AT_ONCE, side="right")) - 1
            stop = min(max(start + 1, room), last)
            blocks[start] = strongest(rows(start, stop), keep)
            start = stop

    in_parallel(band, len(sizes))
    return stacked([blocks[start] for start in sorted(blocks)]) if blocks else empty(0)


def strongest(matrix: npt.NDArray[np.float32] | Sparse, keep: int) -> Sparse:
    """Return the matrix with only the `keep` cells of largest absolute value in each row.

    The matrix is float32, dense or sparse; so is the answer, which is sparse.
    """
    if isinstance(matrix, np.ndarray):
        return _strongest_of_dense(matrix, keep)
    edges, kept = matrix.indptr, np.ones(matrix.nnz, dtype=np.bool_)
    for row in np.flatnonzero(np.diff(edges) > keep):
        size = np.abs(matrix.data[edges[row] : edges[row + 1]])
        floor = np.partition(size, len(size) - keep)[len(size) - keep]
        chosen = size > floor
        chosen[np.flatnonzero(size == floor)[: keep - np.count_nonzero(chosen)]] = True
        kept[edges[row] : edges[row + 1]] = chosen
    offsets = np.concatenate([[0], np.cumsum(np.minimum(np.diff(edges), keep))])
    values = matrix.data[kept].astype(np.float32, copy=False)
    return from_rows(values, matrix.indices[kept], offsets, matrix.shape[1])


def _strongest_of_dense(matrix: npt.NDArray[np.float32], keep: int) -> Sparse:
    n_rows, n_columns = matrix.shape
    if n_rows == 0 or n_columns == 0:
        return cast("Sparse", csr_array(matrix))
    blocks: dict[int, Sparse] = {}

    def band(first: int, last: int) -> None:
        for start in range(first, last, _ROWS_AT_ONCE):
            rows = matrix[start : min(start + _ROWS_AT_ONCE, last)]
            blocks[start] = _strongest_cells(rows, min(keep, n_columns))

    in_parallel(band, n_rows, _ROWS_AT_ONCE)
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
