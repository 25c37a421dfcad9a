"""Invert a symmetric positive definite matrix on all cores: in blocks, so that nearly all of it is products."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from personalize_local.engine.processes.parallel_rows import in_parallel

_LEAST_SPLIT = 400  # rows; smaller matrices are inverted whole, on one core
_ROWS_AT_ONCE = 384  # BLAS packs the other factor anew for each piece

Floats = npt.NDArray[np.float32]


def invert(matrix: Floats) -> None:
    """Put the inverse in the place of a symmetric positive definite matrix, float32 of shape (rows, rows).

    A quarter of its size is held beside it. Formula: by the Schur complement of the first half of rows.

    Raises ArithmeticError when the matrix is not positive definite.
    """
    if len(matrix) < _LEAST_SPLIT:
        _invert_whole(matrix)
        return
    half = len(matrix) // 2
    first, beside, last = matrix[:half, :half], matrix[:half, half:], matrix[half:, half:]
    invert(first)
    solved = np.empty_like(beside)

    def solve(start: int, stop: int) -> None:
        np.matmul(first[start:stop], beside, out=solved[start:stop])

    def complement(start: int, stop: int) -> None:
        last[start:stop] -= beside.T[start:stop] @ solved

    def back(start: int, stop: int) -> None:
        np.matmul(solved[start:stop], last, out=beside[start:stop])
        first[start:stop] += beside[start:stop] @ solved.T
        np.negative(beside[start:stop], out=beside[start:stop])

    in_parallel(solve, half, _ROWS_AT_ONCE)
    in_parallel(complement, len(last), _ROWS_AT_ONCE)
    invert(last)
    in_parallel(back, half, _ROWS_AT_ONCE)
    matrix[half:, :half] = beside.T


def _invert_whole(matrix: Floats) -> None:
    factor, failed = lapack.spotrf(matrix.T, lower=1)  # by columns, as LAPACK reads it
    inverse, failed_too = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise ArithmeticError("the matrix is not positive definite")
    matrix[:] = inverse + np.tril(inverse, -1).T
