"""Score the items listed beside each item, as SIMS and Similar-Items leave them, and popular ones for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.sparse_matrices import Sparse, from_rows
from personalize_local.engine.recipes.estimator import Fitted, ItemEstimator
from personalize_local.engine.serving.served_models import RelatedLists

_BELOW_NEIGHBOURS = np.float32(1e-6)


@dataclass(frozen=True)
class RelatedItems:
    """Neighbours of each item; a question is a history whose newest event names the item asked about."""

    neighbours: Sparse
    popular: Floats

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the likeness to the item of the question; popularity decides where there is none.

        `out` is float32 of shape (stop - start, items).
        """
        rows = np.arange(start, stop)
        some = np.flatnonzero(queries.lengths[start:stop] > 0)
        items = queries.items[queries.offsets[1:][rows[some]] - 1]
        out[:] = self.popular * _BELOW_NEIGHBOURS
        if len(some):
            out[some] += self.neighbours[items].toarray()
            out[some, items] = -np.inf  # an item is not listed beside itself

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        Returns float32, int32 and int64.
        """
        near = self.neighbours
        return {"data": near.data, "indices": near.indices, "indptr": near.indptr, "popular": self.popular}


class RelatedItemsEstimator(ItemEstimator):
    """An algorithm that finds neighbours of each item."""

    served_by = RelatedLists

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], _settings: Mapping[str, Any]) -> Fitted:
        """Return the neighbours.

        The arrays have the names and dtypes (float32, int32, int64) of `RelatedItems.arrays`.
        """
        near = from_rows(arrays["data"], arrays["indices"], arrays["indptr"], len(arrays["popular"]))
        return RelatedItems(near, np.asarray(arrays["popular"]))


def relative(popularity: Floats, n_items: int) -> Floats:
    """Return popularity over all items, the largest 1.

    `popularity` is float32 of shape (items with interactions,), the answer float32 of shape (n_items,).
    """
    scores = np.zeros(n_items, dtype=np.float32)
    scores[: len(popularity)] = popularity / max(float(popularity.max(initial=0)), 1.0)
    return scores
