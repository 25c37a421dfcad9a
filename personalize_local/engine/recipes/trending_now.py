"""Fit Trending-Now: items whose interactions grew most in the newest interval, against the intervals before."""

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.metrics import rounded
from personalize_local.engine.interactions.held_out import UserSplit
from personalize_local.engine.interactions.histories import Histories, Longs
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.recipes.estimator import Fitted
from personalize_local.engine.recipes.popularity_count import FixedList, PopularityCount

INTERVAL_SECONDS = {
    "30 minutes": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10800,
    "1 day": 86400,
}
_BEFORE = 8  # intervals the newest is compared with
_SMALL = 5.0  # expected events below which a jump says little


def interval_seconds(options: TrainingOptions) -> int:
    """Return the length of the interval the recipe compares."""
    return INTERVAL_SECONDS[options.values.get("trend_discovery_frequency", "2 hours").lower()]


def fit_trending(histories: Histories, n_items: int, interval: int, end: int | None = None) -> FixedList:
    """Score items by how unexpected the newest interval's count is; equally unexpected ones by their count."""
    last = int(histories.times.max(initial=0)) + 1 if end is None else end
    counts = interval_counts(histories.items, histories.times, n_items, interval, last)
    totals = counts.sum(axis=1)
    growth = totals[0] / max(float(totals[1:].mean()), 1.0)  # traffic as a whole is no trend
    expected = counts[1:].mean(axis=0) * growth
    surprise = (counts[0] - expected) / np.sqrt(expected + _SMALL)
    overall = np.bincount(histories.items, minlength=n_items)
    return FixedList((surprise + 1e-6 * overall / max(int(overall.max(initial=0)), 1)).astype(np.float32))


def interval_counts(
    items: npt.NDArray[np.int32], times: Longs, n_items: int, interval: int, end: int
) -> npt.NDArray[np.int64]:
    """Return events per interval and item, the newest interval first, then the ones before it.

    `items` is int32 and `times` int64 of shape (events,), the answer int64 of shape (intervals, n_items).
    """
    age = (end - 1 - times) // interval
    recent = (age >= 0) & (age <= _BEFORE)
    cell = age[recent] * n_items + items[recent]
    return np.bincount(cell, minlength=(_BEFORE + 1) * n_items).reshape(_BEFORE + 1, n_items)


def trend_prediction_accuracy(histories: Histories, n_items: int, interval: int, count: int = 25) -> float:
    """Return the growth of the items predicted to trend over that of the items that did, one interval ahead."""
    end = int(histories.times.max(initial=0)) + 1
    if end - interval <= int(histories.times.min(initial=0)):
        return 0.0
    before = histories.where(histories.times < end - interval)
    predicted = np.argsort(-fit_trending(before, n_items, interval, end - interval).scores, kind="stable")[:count]
    counts = interval_counts(histories.items, histories.times, n_items, interval, end)
    grown = np.maximum(counts[0] - counts[1], 0).astype(np.float64)
    possible = np.sort(grown)[::-1][:count].sum()
    return float(grown[predicted].sum() / possible) if possible else 0.0


class TrendingNow(PopularityCount):
    """Lists what grows fastest."""

    def fitted_to(self, data: TrainingData, histories: Histories) -> Fitted:
        """Compare the newest interval with those before."""
        return fit_trending(histories, len(data.catalogue), interval_seconds(self.options))

    def measure(self, data: TrainingData, split: UserSplit) -> dict[str, float]:
        """Add how well the trends of the newest interval were foreseen."""
        accuracy = trend_prediction_accuracy(data.histories, len(data.catalogue), interval_seconds(self.options))
        return rounded({**super().measure(data, split), "trend_prediction_accuracy": accuracy})
