"""Semantic-Similarity: items alike in meaning, by latent topics of their texts, bent towards the popular or the new."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from emulator.engine.interactions.histories import Floats, Histories
from emulator.engine.interactions.item_vectors import item_vectors
from emulator.engine.interactions.sparse_matrices import Sparse

_DIMENSIONS = 64
_DENSE_WORDS = 4000  # above, topics are sought in the most telling words only


@dataclass(frozen=True)
class SemanticItems:
    """Unit vectors of all items. A question is a history whose newest event names the item asked about."""

    vectors: Floats  # items x dimensions, rows of length one, or zero for items without text
    popular: Floats  # 0 to 1
    fresh: Floats  # 0 to 1
    influence: tuple[float, float] = (0.0, 0.0)  # of popularity and freshness

    def influenced(self, config: Mapping[str, Any]) -> "SemanticItems":
        """Return the same items under the rankingInfluence of a campaign or batch job."""
        given = config.get("rankingInfluence") or {}
        return replace(self, influence=(float(given.get("POPULARITY", 0.0)), float(given.get("FRESHNESS", 0.0))))

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the likeness to the asked item; an unknown item gets popular ones."""
        part = queries.slice(start, stop)
        some = np.flatnonzero(part.lengths > 0)
        items = part.items[part.offsets[1:][some] - 1]
        asked = np.zeros((stop - start, self.vectors.shape[1]), dtype=np.float32)
        asked[some] = self.vectors[items]
        np.matmul(asked, self.vectors.T, out=out)
        popularity, freshness = self.influence
        out += np.float32(max(popularity, 1e-6)) * self.popular
        if freshness:
            out += np.float32(freshness) * self.fresh
        out[some, items] = -np.inf  # an item is not listed beside itself

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays."""
        return {"vectors": self.vectors, "popular": self.popular, "fresh": self.fresh}

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], _settings: Mapping[str, Any]) -> "SemanticItems":
        """Return the items that `arrays` describe."""
        vectors, popular, fresh = (np.asarray(arrays[name]) for name in ("vectors", "popular", "fresh"))
        return SemanticItems(vectors, popular, fresh)


def embed(weighted: Sparse) -> Floats:
    """Return unit vectors of the items' texts: latent topics of their words (LSA)."""
    frequent = np.argsort(-np.bincount(weighted.indices, minlength=weighted.shape[1]), kind="stable")
    telling = weighted[:, np.sort(frequent[:_DENSE_WORDS])]
    together = np.asarray((telling.T @ telling).toarray(), dtype=np.float32)
    vectors = np.asarray(telling @ item_vectors(together, _DIMENSIONS), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0), dtype=np.float32)


def to_unit(values: npt.NDArray[Any]) -> Floats:
    """Return values moved and scaled into 0 to 1; all alike is all 0."""
    numbers = values.astype(np.float64)
    low, high = float(numbers.min(initial=np.inf)), float(numbers.max(initial=-np.inf))
    spread = high - low if high > low else 1.0
    return np.asarray((numbers - low) / spread, dtype=np.float32)
