"""Popularity-Count: the same list for everybody, ordered by how many users interacted with an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emulator.engine.interactions.histories import Floats, Histories
from emulator.engine.interactions.training_data import popularity


@dataclass(frozen=True)
class FixedList:
    """Scores that do not depend on who asks."""

    scores: Floats

    def score(self, _queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the same scores for every query."""
        out[: stop - start] = self.scores

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays."""
        return {"scores": self.scores}

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], _settings: Mapping[str, Any]) -> "FixedList":
        """Return the list that `arrays` describe."""
        return FixedList(np.asarray(arrays["scores"]))


def fit_popularity(histories: Histories, n_items: int) -> FixedList:
    """Count the distinct users of each item."""
    return FixedList(popularity(histories, n_items))
