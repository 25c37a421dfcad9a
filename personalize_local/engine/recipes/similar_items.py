"""Fit Similar-Items: items that the same users have, closely after one another; rare items by their metadata."""

import numpy as np
from scipy.sparse import csr_array

from personalize_local.engine.interactions.cooccurrence import CooccurrenceCounts, in_order
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.item_metadata import alike, features
from personalize_local.engine.interactions.sparse_matrices import (
    Sparse,
    cells_of,
    from_cells,
    strongest,
    widened,
)
from personalize_local.engine.interactions.training_data import Catalogue, TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.recipes.related_items import RelatedItems, RelatedItemsEstimator, relative
from personalize_local.engine.recipes.sims import shared_evidence

WINDOW = 20
_RARE = 5  # interactions; below, metadata speaks as well
_DEFAULT_KEEP = 100
_CANDIDATES = 300  # neighbours of either kind that are mixed
_TOGETHER_DISCOUNT = 0.4  # power of the listed item's popularity


def fit_similar_items(counted: CooccurrenceCounts, catalogue: Catalogue, options: TrainingOptions) -> RelatedItems:
    """Return each item's neighbours by order of events, and for rare items by metadata beside it."""
    counts, size = counted.popularity, len(catalogue)
    keep = _keep(options, "item_id_hidden_dim")
    near = strongest(_together_and_in_order(counted), keep)
    power = options.number("popularity_discount_factor") if "popularity_discount_factor" in options.values else 0.0
    if power:
        near.data *= (np.maximum(counts, 1) ** np.float32(-power))[near.indices]
    near = widened(near, size)
    near.data /= np.float32(max(float(near.data.max(initial=0)), 1e-12))
    frequent = np.zeros(size, dtype=np.float32)
    frequent[: len(counts)] = counts
    return RelatedItems(_with_metadata(near, frequent, catalogue, options), relative(counts, size))


def _together_and_in_order(counted: CooccurrenceCounts) -> Sparse:
    """Return how closely items follow one another plus how many users share them, each in units of its own spread."""
    order = strongest(in_order(counted), _CANDIDATES)
    tempered = np.maximum(counted.popularity, 1) ** np.float32(-_TOGETHER_DISCOUNT)
    together = strongest(shared_evidence(counted, tempered, 1), _CANDIDATES)
    units = [max(float(np.sqrt(np.mean(part.data**2))) if part.nnz else 1.0, 1e-12) for part in (order, together)]
    return csr_array(order / np.float32(units[0]) + together / np.float32(units[1]))


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
    """Finds the items that follow one another, and for rare ones those described alike."""

    def fitted_to(self, data: TrainingData, histories: Histories) -> RelatedItems:
        """Count transitions."""
        counted = CooccurrenceCounts(data.catalogue.warm, WINDOW)
        counted.add(histories)
        return fit_similar_items(counted, data.catalogue, self.options)
