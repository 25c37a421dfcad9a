"""Score by PureSVD: histories as sums of item vectors, the fastest way to score everybody against everything.

The vectors are the leading eigenvectors of the matrix of shared users, found by subspace iteration on the item side
alone; nothing of the size users x rank is ever decomposed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.ranked_lists import SEEN
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.recipes.item_to_item import FitSettings, history_weights

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
        """Fill `out` with the logits of all items for the users from `start` to before `stop`.

        `out` is float32 of shape (stop - start, items).
        """
        part = queries.slice(start, stop)
        weights = history_weights(part, self.settings) * np.float32(self.settings.scale)
        profiles = part.matrix(len(self.vectors), weights) @ self.vectors
        np.matmul(profiles, self.vectors.T, out=out)
        out += self.prior
        out[part.lengths == 0] = self.popular
        if not self.settings.repeats:
            out[part.users(), part.items] -= SEEN

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        All float32.
        """
        return {"vectors": self.vectors, "prior": self.prior, "popular": self.popular}

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> "Factors":
        """Return the model that `arrays` and the choice's settings describe.

        All arrays are float32.
        """
        vectors, scores, popular = (np.asarray(arrays[name]) for name in ("vectors", "prior", "popular"))
        return Factors(vectors, scores, popular, FitSettings(**settings))
