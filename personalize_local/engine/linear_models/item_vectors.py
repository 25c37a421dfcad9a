"""Describe items by few numbers: the leading eigenvectors of their co-occurrence.

They are found by subspace iteration (Halko, Martinsson and Tropp 2011) on the item side alone; nothing of the size
users x rank is ever decomposed. A history is then the sum of its items' vectors (PureSVD: Cremonesi, Koren and Turrin
2010).
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from personalize_local.engine.interactions.sparse_matrices import Matrix
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.processes.parallel_rows import in_parallel

_ITERATIONS = 6
_OVERSAMPLING = 10
_SPARSE_COST = 10  # a multiplication in a sparse product, and its way back, in those of a dense one


def item_vectors(counted: CooccurrenceCounts, rank: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return the leading eigenvectors of the matrix of shared users, one row per item.

    Returns float32 of shape (items, rank). Products go through the users where that costs less.
    """
    taken, weighted = counted.taken, counted.weighted
    if _SPARSE_COST * taken.nnz < counted.n_items**2 or not counted.fits_densely:
        returned = csr_array(taken.T)
        return eigenvectors(lambda basis: returned @ (weighted @ basis), counted.n_items, rank, seed)
    shared = counted.shared
    return eigenvectors(partial(_times, shared), counted.n_items, rank, seed)


def eigenvectors(
    times: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]], size: int, rank: int, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Return the leading eigenvectors of a symmetric matrix, given as what multiplies it with float32 (size, any)."""
    rank = min(rank, size)
    width = min(size, rank + _OVERSAMPLING)
    basis = np.random.default_rng(seed).normal(size=(size, width)).astype(np.float32)
    for _ in range(_ITERATIONS):
        basis, _triangle = np.linalg.qr(times(basis))
    small = basis.T @ times(basis)
    _values, turns = np.linalg.eigh((small + small.T) / 2)
    return np.ascontiguousarray((basis @ turns[:, ::-1])[:, :rank], dtype=np.float32)


def _times(matrix: Matrix, basis: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Multiply in bands of rows on all cores."""
    product = np.empty((matrix.shape[0], basis.shape[1]), dtype=np.float32)

    def band(first: int, last: int) -> None:
        product[first:last] = matrix[first:last] @ basis

    in_parallel(band, matrix.shape[0], max(1, matrix.shape[0] // 8))
    return product
