"""Describe items by few numbers: the leading eigenvectors of their co-occurrence.

They are found by subspace iteration (Halko, Martinsson and Tropp 2011) on the item side alone; nothing of the size
users x rank is ever decomposed. A history is then the sum of its items' vectors (PureSVD: Cremonesi, Koren and Turrin
2010).
"""

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.cooccurrence import Matrix
from personalize_local.engine.interactions.parallel_rows import in_parallel

_ITERATIONS = 6
_OVERSAMPLING = 10


def item_vectors(shared: Matrix, rank: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return the leading eigenvectors of the matrix of shared users, one row per item.

    `shared` is float32 of shape (items, items), symmetric; the answer float32 of shape (items, rank).
    """
    size = shared.shape[0]
    rank = min(rank, size)
    width = min(size, rank + _OVERSAMPLING)
    basis = np.random.default_rng(seed).normal(size=(size, width)).astype(np.float32)
    for _ in range(_ITERATIONS):
        basis, _triangle = np.linalg.qr(_times(shared, basis))
    small = basis.T @ _times(shared, basis)
    _values, turns = np.linalg.eigh((small + small.T) / 2)
    return np.ascontiguousarray((basis @ turns[:, ::-1])[:, :rank], dtype=np.float32)


def _times(matrix: Matrix, basis: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Multiply in bands of rows on all cores."""
    product = np.empty((matrix.shape[0], basis.shape[1]), dtype=np.float32)

    def band(first: int, last: int) -> None:
        product[first:last] = matrix[first:last] @ basis

    in_parallel(band, matrix.shape[0], max(1, matrix.shape[0] // 8))
    return product
