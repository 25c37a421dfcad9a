"""Compute what a list earns when the solution names a column to optimise for."""

import numpy as np

from personalize_local.engine.evaluation.metrics import Ranked, find_hits
from personalize_local.engine.interactions.histories import Floats, Histories


def average_rewards(lists: Ranked, truth: Histories, values: Floats) -> float:
    """Return average_rewards_at_k: per user, what the recommended items that were taken earn, over all that was taken.

    The guide does not publish its normalisation into (0, 1]; here values are shifted to start at zero first.

    `lists` is int32 of shape (users, places), `values` float32 of shape (items,).
    """
    n_items = len(values)
    worth = values - min(float(values.min(initial=0.0)), 0.0)
    hits, _ = find_hits(lists, truth, n_items)
    earned = np.where(hits, worth[lists], 0.0).sum(axis=1)
    pairs = truth.unique(n_items)
    possible = np.add.reduceat(worth[pairs.indices], pairs.indptr[:-1]) if len(truth) else np.zeros(0)
    rewarded = possible > 0
    return float((earned[rewarded] / possible[rewarded]).mean()) if rewarded.any() else 0.0
