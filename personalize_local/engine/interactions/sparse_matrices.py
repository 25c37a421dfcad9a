"""Make sparse matrices under one type that the type checker follows, whole or from the strongest cells of each row."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, vstack

from personalize_local.engine.processes.parallel_rows import in_parallel

Floats = npt.NDArray[np.float32]
Sparse: TypeAlias = csr_array[Any, tuple[int, int]]
Matrix = Floats | Sparse

_ROWS_AT_ONCE = 64
_CELLS_AT_ONCE = 4_000_000  # of a block of rows that is to be cut
_CELLS_IN_CACHE = 400_000
_TILE = 128  # rows and columns


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
    if len(data) <= np.iinfo(np.int32).max:  # scipy takes the wider type of the two for both
        indptr = np.asarray(indptr, dtype=np.int32)
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
    return blocks[0] if len(blocks) == 1 else cast("Sparse", csr_array(vstack(list(blocks))))


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


def cells_of(matrix: Sparse) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the values of a matrix with the row and column of each.

    Returns float32 values, int64 rows, int32 columns, in the order of the rows.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return matrix.data, rows, matrix.indices


def product(left: Sparse, right: Sparse, *, dense: bool) -> Matrix:
    """Return the sum over users of the left row's cells times the right row's.

    Both are float32 of shape (users, items); the answer float32 of shape (items, items).
    """
    size = left.shape[1]
    total: Matrix = np.zeros((size, size), dtype=np.float32) if dense else empty(size)
    return plus_product(total, left.T.tocsr(), right)


def plus_product(total: Matrix, left: Sparse, right: Sparse) -> Matrix:
    """Return the total, a dense one in place, plus the product.

    All are float32: the total of shape (rows of `left`, columns of `right`).
    """
    if isinstance(total, np.ndarray):
        in_parallel(lambda start, last: _add_rows(total, left, right, start, last), left.shape[0])
        return total
    return csr_array(total + left @ right)


def dense_product(left: Sparse, right: Sparse) -> Floats:
    """Return the product of two sparse matrices, dense and made on this thread; all are float32."""
    total = np.zeros((left.shape[0], right.shape[1]), dtype=np.float32)
    _add_rows(total, left, right, 0, left.shape[0])
    return total


def _add_rows(total: Floats, left: Sparse, right: Sparse, start: int, last: int) -> None:
    """Add some rows of the product of two sparse matrices to a dense one, a few of them at once.

    The rows of `right` that a row of `left` asks for are put in a line, and summed where they lie: that takes a third
    of the time of a sparse product that is then made dense.
    """
    edges = left.indptr[start : last + 1].astype(np.int64)
    values = left.data[edges[0] : edges[-1]]
    asked = left.indices[edges[0] : edges[-1]]
    lengths = np.diff(right.indptr).astype(np.int64)[asked]
    edges -= edges[0]
    before = np.concatenate([[0], np.cumsum(lengths)])[edges]  # cells in the line before each row
    ones = bool((values == 1).all())
    row = 0
    while row < last - start:
        room = int(np.searchsorted(before, before[row] + _CELLS_IN_CACHE, side="right")) - 1
        stop = min(max(row + 1, room), last - start)
        part = slice(edges[row], edges[stop])
        rows = right[asked[part]]
        data = rows.data if ones else rows.data * np.repeat(values[part], lengths[part])
        line = from_rows(data, rows.indices, before[row : stop + 1] - before[row], right.shape[1])
        total[start + row : start + stop] += line.toarray()
        row = stop


def plus_mirrored(matrix: Floats, share: float) -> Floats:
    """Return a square matrix plus a share of its mirror image, made in tiles on all cores; both are float32."""
    mixed = np.empty_like(matrix)

    def band(first: int, last: int) -> None:
        for top, left in itertools.product(range(first, last, _TILE), range(0, len(matrix), _TILE)):
            tile = slice(top, min(top + _TILE, last)), slice(left, left + _TILE)
            mixed[tile] = matrix[tile[::-1]].T
            mixed[tile] *= np.float32(share)
            mixed[tile] += matrix[tile]

    in_parallel(band, len(matrix), _TILE)
    return mixed


def by_activity(taken: Sparse, power: float) -> Sparse:
    """Return users x items with each user's cells over the power of their sum: who has everything says little.

    `taken` is float32 of shape (users, items), and so is the answer.
    """
    sums = np.maximum(np.asarray(taken.sum(axis=1)).ravel(), 1e-9)
    shares = np.repeat(sums**-power, np.diff(taken.indptr)).astype(np.float32)
    return from_rows(taken.data * shares, taken.indices, taken.indptr, taken.shape[1])


def scaled(matrix: Matrix, rows: Floats, columns: Floats) -> Matrix:
    """Multiply rows and columns, dense ones in place, and clear the diagonal.

    All are float32: the matrix of shape (items, items), `rows` and `columns` of shape (items,).
    """
    if isinstance(matrix, np.ndarray):
        matrix *= rows[:, None]
        matrix *= columns[None, :]
        np.fill_diagonal(matrix, 0)
        return matrix
    return scaled_cells(matrix, rows, columns)


def scaled_cells(matrix: Sparse, rows: Floats, columns: Floats, first: int = 0) -> Sparse:
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


def strongest(matrix: Matrix, keep: int) -> Sparse:
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


def _strongest_of_dense(matrix: Floats, keep: int) -> Sparse:
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


def _strongest_cells(rows: Floats, keep: int) -> Sparse:
    """Return the cells no smaller than the row's `keep`-th; of those equal to it, the first ones."""
    n_columns = rows.shape[1]
    size = np.abs(rows)
    floor = np.partition(size, n_columns - keep, axis=1)[:, n_columns - keep, None]  # numpy partitions in vectors
    kept = size >= np.maximum(floor, np.finfo(np.float32).tiny)
    starts = np.arange(len(rows) + 1) * n_columns
    flat = np.flatnonzero(kept)
    offsets = np.searchsorted(flat, starts)
    tied = np.flatnonzero(np.diff(offsets) > keep)
    for row in tied:
        ties = np.flatnonzero(size[row] == floor[row])
        kept[row, ties[keep - np.count_nonzero(size[row] > floor[row]) :]] = False
    if len(tied):
        flat = np.flatnonzero(kept)
        offsets = np.searchsorted(flat, starts)
    columns = flat - np.repeat(starts[:-1], np.diff(offsets))
    return from_rows(rows.ravel()[flat], columns.astype(np.int32), offsets, n_columns)
