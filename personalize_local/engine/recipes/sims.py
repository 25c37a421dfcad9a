"""Fit SIMS: items are similar when many users share them, less so the more popular the listed item is."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.sparse_matrices import (
    Matrix,
    Sparse,
    by_activity,
    from_rows,
    product,
    scaled,
    scaled_cells,
    strongest,
    widened,
)
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.recipes.related_items import (
    PairRows,
    PairSettings,
    RelatedItems,
    RelatedItemsEstimator,
    relative,
    shared_rows,
)

_NEIGHBOURS = 100
_USUAL_FACTOR = 0.5  # the default of popularity_discount_factor
_TEMPERED_GROWTH = 0.8  # power of a count above the upper percentile


def fit_sims(
    counted: CooccurrenceCounts, n_items: int, options: TrainingOptions, settings: PairSettings
) -> RelatedItems:
    """Return each item's most similar items: shared users over popularity to a power that the discount factor sets."""
    factors = tempered_popularity(counted, options) ** np.float32(-settings.discount)
    scores = shared_evidence(counted, factors, options.number("min_cointeraction_count"), settings.activity)
    return RelatedItems(widened(strongest(scores, _NEIGHBOURS), n_items), relative(counted.popularity, n_items))


def tempered_popularity(counted: CooccurrenceCounts, options: TrainingOptions) -> Floats:
    """Return what a discount is the power of: trusted counts, to a power of 1 at the default discount factor.

    Returns float32 of shape (items,).
    """
    trusted = trusted_counts(
        np.maximum(counted.popularity, 1),
        options.number("min_item_interaction_count_percentile"),
        options.number("max_item_interaction_count_percentile"),
    )
    return np.asarray(trusted ** np.float32(options.number("popularity_discount_factor") / _USUAL_FACTOR))


def trusted_counts(counts: Floats, low: float, high: float) -> Floats:
    """Return the counts that popularity is discounted by, given two percentiles of all counts.

    Rarer items count as those at the lower one: chance decides about them. Above the upper one a count grows more
    slowly: the most popular items would otherwise be listed too seldom. `counts` is float32, and so is the answer.
    """
    if len(counts) == 0:
        return counts
    least, most = np.maximum(np.quantile(counts, [low, high], method="higher"), 1)
    tempered = counts**_TEMPERED_GROWTH * most ** (1 - _TEMPERED_GROWTH)
    trusted = np.where(counts > most, tempered, np.maximum(counts, least))
    return np.asarray(trusted, dtype=np.float32)


def shared_evidence(counted: CooccurrenceCounts, factors: Floats, least: float, activity: float = 0.5) -> Matrix:
    """Return how much users speak for two items together, times a factor of the listed item; rare pairs are left out.

    A user counts by one over the history's length to the power `activity`. `factors` is float32 of shape (items,), the
    answer float32 of shape (items, items), dense or sparse.
    """
    if not counted.fits_densely:
        return _evidence_in_blocks(counted, factors, least, activity)
    shared, taken = counted.shared, counted.taken
    evidence = product(taken, by_activity(taken, activity), dense=isinstance(shared, np.ndarray))
    kept: Any = shared >= max(least, 1)
    evidence = evidence * kept if isinstance(evidence, np.ndarray) else csr_array(evidence.multiply(kept))
    return scaled(evidence, np.ones(len(factors), dtype=np.float32), factors)


def _evidence_in_blocks(counted: CooccurrenceCounts, factors: Floats, least: float, activity: float) -> Sparse:
    """Return the same above DENSE_LIMIT items: made in blocks of rows, and cut."""
    taken = counted.taken
    # One product sums both: evidence in the real part, and the users that speak in the imaginary one.
    weighted: Any = (by_activity(taken, activity) + np.complex64(1j) * taken).T.tocsr()
    ones = np.ones(len(factors), dtype=np.float32)

    def block(start: int, stop: int) -> Sparse:
        pairs = weighted[start:stop] @ taken
        evidence = np.where(pairs.data.imag >= max(least, 1), pairs.data.real, np.float32(0))
        rows = from_rows(evidence, pairs.indices, pairs.indptr, len(factors))
        return scaled_cells(rows, ones[start:stop], factors, start)

    return counted.cut(block)


class Sims(RelatedItemsEstimator):
    """Finds the items that the same users have."""

    def pair_rows(self, counted: CooccurrenceCounts, items: npt.NDArray[np.int64]) -> PairRows:
        """Return shared users for items, int64 of shape (asked,), discounted as the hyperparameters say."""
        least = self.options.number("min_cointeraction_count")
        popularity = tempered_popularity(counted, self.options)
        return PairRows(shared_rows(counted.taken, items, least), popularity, None)

    def fitted_to(self, data: TrainingData, histories: Histories) -> RelatedItems:
        """Count shared users."""
        counted = CooccurrenceCounts(data.catalogue.warm, 0)
        counted.add(histories)
        return fit_sims(counted, len(data.catalogue), self.options, self._settings)
