"""Fit Popularity-Count: the same list for everybody, ordered by how many users interacted with an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.training_data import TrainingData, popularity
from personalize_local.engine.recipes.estimator import Fitted, ItemEstimator
from personalize_local.engine.serving.served_models import CommonLists


@dataclass(frozen=True)
class FixedList:
    """Scores that do not depend on who asks."""

    scores: Floats

    def score(self, _queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the same scores for every query.

        `out` is float32 of shape (stop - start, items).
        """
        out[: stop - start] = self.scores

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        Returns float32.
        """
        return {"scores": self.scores}


def fit_popularity(histories: Histories, n_items: int) -> FixedList:
    """Count the distinct users of each item."""
    return FixedList(popularity(histories, n_items))


class PopularityCount(ItemEstimator):
    """Lists what most users have."""

    served_by = CommonLists

    def fitted_to(self, data: TrainingData, histories: Histories) -> Fitted:
        """Count."""
        return fit_popularity(histories, len(data.catalogue))

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], _settings: Mapping[str, Any]) -> Fitted:
        """Return the list.

        The array is float32.
        """
        return FixedList(np.asarray(arrays["scores"]))
