"""Count how popular items are in each part of the time, and add it to scores by when a user was last there."""

from typing import Final

import numpy as np

from personalize_local.engine.interactions.histories import Floats, Histories, Longs
from personalize_local.engine.interactions.sparse_matrices import Sparse
from personalize_local.engine.linear_models.fitted_models import periods

_PERIODS: Final = 32
_TIMES_LOOKED_AT: Final = 100_000
_PRIOR_EVENTS: Final = np.float32(50)  # as at all times: they hold a period of few events back


class PopularityOverTime:
    """Events of each item in each period; periods hold as many events each, so that busy times have short ones."""

    def __init__(self, times: Longs, n_items: int) -> None:
        """Lay periods through the times, int64 of shape (events,)."""
        ordered = np.sort(times[:: max(1, len(times) // _TIMES_LOOKED_AT)])
        self.edges: Longs = np.unique(ordered[np.arange(1, _PERIODS) * len(ordered) // _PERIODS])
        self._counts = np.zeros((len(self.edges) + 1, n_items), dtype=np.float32)

    def add(self, histories: Histories) -> None:
        """Count more users' events."""
        cells = periods(self.edges, histories.times) * self._counts.shape[1] + histories.items
        self._counts += np.bincount(cells, minlength=self._counts.size).reshape(self._counts.shape)

    def lift(self) -> Floats:
        """Return the log of how many times as often as at all times items are taken in each period and next to it.

        Returns float32 of shape (periods, items). The influence of a period falls by e with each one between.
        """
        events = self._counts.sum(axis=1, keepdims=True)
        if not events.any():
            return np.zeros(self._counts.shape, dtype=np.float32)
        counts = self._counts + np.float32(0.5) * events / events.sum()  # an item nobody took has no trend
        overall = counts.sum(axis=0)
        overall /= overall.sum()
        apart = np.abs(np.subtract.outer(np.arange(len(counts)), np.arange(len(counts))))
        near = np.exp(-apart).astype(np.float32) @ counts
        near += _PRIOR_EVENTS * overall
        near /= near.sum(axis=1, keepdims=True)
        near /= overall
        return np.asarray(np.log(near, out=near), dtype=np.float32)


def of_all_items(values: Floats, shares: Sparse | None, size: int) -> Floats:
    """Return float32 of shape (..., size): values of items with interactions, and what others have by being like them.

    `values` is float32 of shape (..., items with interactions); without `shares` the others have zero.
    """
    others = size - values.shape[-1]
    if shares is None:
        return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, others)])
    return np.concatenate([values, (shares @ values.T).T], axis=-1).astype(np.float32)
