"""Make sparse matrices under one type that the type checker follows."""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, vstack

Sparse: TypeAlias = csr_array[Any, tuple[int, int]]


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


def cells_of(matrix: Sparse) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the values of a matrix with the row and column of each.

    Returns float32 values, int64 rows, int32 columns, in the order of the rows.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return matrix.data, rows, matrix.indices
