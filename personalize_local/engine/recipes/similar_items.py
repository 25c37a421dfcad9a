"""Fit Similar-Items: items that the same users have, in which order if that helps; rare items by their metadata."""

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.item_metadata import alike, features
from personalize_local.engine.interactions.sparse_matrices import (
    Matrix,
    Sparse,
    cells_of,
    empty,
    from_cells,
    strongest,
    widened,
)
from personalize_local.engine.interactions.training_data import Catalogue, TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, in_order, in_order_beside
from personalize_local.engine.recipes.related_items import (
    PairRows,
    PairSettings,
    RelatedItems,
    RelatedItemsEstimator,
    relative,
    shared_rows,
    with_order,
)
from personalize_local.engine.recipes.sims import shared_evidence

WINDOW = 20
_RARE = 5  # interactions; below, metadata speaks as well
_DEFAULT_KEEP = 100


def fit_similar_items(
    counted: CooccurrenceCounts, catalogue: Catalogue, options: TrainingOptions, settings: PairSettings
) -> RelatedItems:
    """Return each item's neighbours by shared users and the order of events, for rare items by metadata beside it."""
    counts, size = counted.popularity, len(catalogue)
    near = strongest(_together_and_in_order(counted, settings), _keep(options, "item_id_hidden_dim"))
    power = options.number("popularity_discount_factor") if "popularity_discount_factor" in options.values else 0.0
    if power:
        near.data *= (np.maximum(counts, 1) ** np.float32(-power))[near.indices]
    near = widened(near, size)
    near.data /= np.float32(max(float(near.data.max(initial=0)), 1e-12))
    frequent = np.zeros(size, dtype=np.float32)
    frequent[: len(counts)] = counts
    return RelatedItems(_with_metadata(near, frequent, catalogue, options), relative(counts, size))


def _together_and_in_order(counted: CooccurrenceCounts, settings: PairSettings) -> Sparse:
    """Return how many users share two items, and how closely the items follow one another as the settings weigh it."""
    factors = np.maximum(counted.popularity, 1) ** np.float32(-settings.discount)
    together = shared_evidence(counted, factors, 1, settings.activity)
    order: Matrix = in_order(counted) if settings.order else empty(counted.n_items)
    return with_order(together, order, settings.order)


def _keep(options: TrainingOptions, name: str) -> int:
    return int(options.number(name)) if name in options.values else _DEFAULT_KEEP


def _with_metadata(near: Sparse, counts: Floats, catalogue: Catalogue, options: TrainingOptions) -> Sparse:
    """Add to the rows of rare items their likeness to all items, scaled like the strongest neighbours of an item."""
    rare = np.flatnonzero(counts < _RARE)
    described = features(catalogue, options) if len(rare) else None
    if described is None:
        return near
    likeness = alike(described, rare, np.arange(len(catalogue)), _keep(options, "item_metadata_hidden_dim") + 1)
    strengths = np.maximum.reduceat(near.data, near.indptr[:-1][np.diff(near.indptr) > 0]) if near.nnz else [1.0]
    cosine, numbers, columns = cells_of(likeness)
    rows = rare[numbers]
    kept = rows != columns
    known = cells_of(near)
    return from_cells(
        np.concatenate([known[0], cosine[kept] * np.float32(np.median(strengths))]),
        np.concatenate([known[1], rows[kept]]),
        np.concatenate([known[2], columns[kept]]),
        near.shape,
    )


class SimilarItems(RelatedItemsEstimator):
    """Finds the items that the same users have and that follow one another, and for rare ones those described alike."""

    window = WINDOW

    def pair_rows(self, counted: CooccurrenceCounts, items: npt.NDArray[np.int64]) -> PairRows:
        """Return shared users and the order of events for items, int64 of shape (asked,)."""
        order = in_order_beside(counted, items)
        return PairRows(shared_rows(counted.taken, items, 1), counted.popularity, order)

    def fitted_to(self, data: TrainingData, histories: Histories) -> RelatedItems:
        """Count shared users and, if it was chosen, what follows what."""
        counted = CooccurrenceCounts(data.catalogue.warm, WINDOW if self._settings.order else 0)
        counted.add(histories)
        return fit_similar_items(counted, data.catalogue, self.options, self._settings)
