"""PureSVD: histories as sums of item vectors, the fastest way to score everybody against everything.

The vectors are the leading eigenvectors of the matrix of shared users, found by subspace iteration on the item side
alone; nothing of the size users x rank is ever decomposed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emulator.engine.evaluation.top_k import in_parallel
from emulator.engine.interactions.cooccurrence import Matrix
from emulator.engine.interactions.histories import Floats, Histories
from emulator.engine.recipes.item_to_item import SEEN, FitSettings, history_weights

_ITERATIONS = 6
_OVERSAMPLING = 10


@dataclass(frozen=True)
class Factors:
    """A fitted model: logits of every item for any history, as products of two vectors."""

    vectors: npt.NDArray[np.float32]  # items x rank
    prior: Floats
    popular: Floats
    settings: FitSettings

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the logits of all items for the users from `start` to before `stop`."""
        part = queries.slice(start, stop)
        weights = history_weights(part, self.settings) * np.float32(self.settings.scale)
        profiles = part.matrix(len(self.vectors), weights) @ self.vectors
        np.matmul(profiles, self.vectors.T, out=out)
        out += self.prior
        out[part.lengths == 0] = self.popular
        if not self.settings.repeats:
            out[part.users(), part.items] -= SEEN

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays."""
        return {"vectors": self.vectors, "prior": self.prior, "popular": self.popular}

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> "Factors":
        """Return the model that `arrays` and the choice's settings describe."""
        vectors, scores, popular = (np.asarray(arrays[name]) for name in ("vectors", "prior", "popular"))
        return Factors(vectors, scores, popular, FitSettings(**settings))


def item_vectors(shared: Matrix, rank: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return the leading eigenvectors of the matrix of shared users, one row per item."""
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
