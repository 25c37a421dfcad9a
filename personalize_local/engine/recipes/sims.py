"""Fit SIMS: items are similar when many users share them, less so the more popular the listed item is."""

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.cooccurrence import CooccurrenceCounts, Matrix, strongest
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.sparse_matrices import cells_of, from_cells, widened
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.recipes.related_items import RelatedItems, RelatedItemsEstimator, relative

_NEIGHBOURS = 100


def fit_sims(counted: CooccurrenceCounts, n_items: int, options: TrainingOptions) -> RelatedItems:
    """Return each item's most similar items: shared users over popularity to the power of the discount factor."""
    counts = counted.popularity
    listed = listable(
        counts,
        options.number("min_item_interaction_count_percentile"),
        options.number("max_item_interaction_count_percentile"),
    )
    least = options.number("min_cointeraction_count")
    discount = np.maximum(counts, 1) ** np.float32(-options.number("popularity_discount_factor")) * listed
    scores = discounted(counted.shared, discount, least)
    near = strongest(scores, _NEIGHBOURS)
    return RelatedItems(widened(near, n_items), relative(counts, n_items))


def listable(counts: Floats, low: float, high: float) -> npt.NDArray[np.bool_]:
    """Return which items lie within the percentiles of interaction counts; ties with a bound count as within.

    `counts` is float32, the answer bool, both of shape (items,).
    """
    if len(counts) == 0:
        return np.zeros(0, dtype=np.bool_)
    bounds = np.quantile(counts, [low, high], method="higher")
    return np.asarray((counts >= bounds[0]) & (counts <= bounds[1]))


def discounted(shared: Matrix, discount: Floats, least: float) -> Matrix:
    """Return shared users times the listed item's discount, without rare pairs and an item's own.

    `shared` is float32 of shape (items, items), dense or sparse, and so is the answer; `discount` is float32 of shape
    (items,).
    """
    if isinstance(shared, np.ndarray):
        scores = np.where(shared >= max(least, 1), shared, np.float32(0)) * discount[None, :].astype(np.float32)
        np.fill_diagonal(scores, 0)
        return scores
    data, rows, columns = cells_of(shared)
    kept = (data >= max(least, 1)) & (rows != columns) & (discount[columns] > 0)
    return from_cells(data[kept] * discount[columns[kept]], rows[kept], columns[kept], shared.shape)


class Sims(RelatedItemsEstimator):
    """Finds the items that the same users have."""

    def fitted_to(self, data: TrainingData, histories: Histories) -> RelatedItems:
        """Count shared users."""
        counted = CooccurrenceCounts(data.catalogue.warm, 0)
        counted.add(histories)
        return fit_sims(counted, len(data.catalogue), self.options)
