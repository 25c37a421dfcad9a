"""Compute the offline metrics of the developer guide, under the keys of GetSolutionMetrics, with four decimals."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.histories import Histories

Ranked = npt.NDArray[np.int32]
Hits = npt.NDArray[np.bool_]

CUTS = (5, 10, 25)
LIST_LENGTH = 25
_TOP_SHARE = 0.01  # of the users, in segments


def item_metrics(ranked: Ranked, truth: Histories, n_items: int, weights: bool = False) -> dict[str, float]:
    """Return the metrics of ranked lists (rows of item positions, -1 for none) against what users did next.

    `ranked` is int32 of shape (users, places); `truth` holds the same users. Values are rounded to four decimals.
    """
    hits, gains = find_hits(ranked, truth, n_items)
    relevant = np.diff(truth.unique(n_items).indptr)
    metrics = {"coverage": coverage(ranked, n_items), "mean_reciprocal_rank_at_25": mean_reciprocal_rank(hits)}
    for cut in CUTS:
        metrics[f"normalized_discounted_cumulative_gain_at_{cut}"] = ndcg(hits, relevant, cut)
        metrics[f"precision_at_{cut}"] = precision(hits, cut)
    if weights:
        key = "normalized_discounted_cumulative_gain_with_event_weights_at_"
        metrics.update({f"{key}{cut}": weighted_ndcg(gains, truth, n_items, cut) for cut in CUTS})
    return rounded(metrics)


def rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics as the service prints them."""
    return {name: round(float(metrics[name]), 4) for name in sorted(metrics)}


def find_hits(ranked: Ranked, truth: Histories, n_items: int) -> tuple[Hits, npt.NDArray[np.float32]]:
    """Return which places of each list hold a relevant item, and the weight of the events that make it so.

    `ranked` is int32 of shape (lists, places); the answers are bool and float32 of the same shape.
    """
    pairs = truth.unique(n_items)
    users = np.repeat(np.arange(len(truth), dtype=np.int64), np.diff(pairs.indptr))
    known = users * n_items + pairs.indices
    listed = np.arange(len(ranked), dtype=np.int64)[:, None] * n_items + ranked
    if len(known) == 0:
        return np.zeros(ranked.shape, dtype=np.bool_), np.zeros(ranked.shape, dtype=np.float32)
    order = np.argsort(known)
    position = order[np.searchsorted(known[order], listed).clip(0, len(known) - 1)]
    hits = (known[position] == listed) & (ranked >= 0)
    return hits, np.where(hits, pairs.data[position], 0.0).astype(np.float32)


def coverage(ranked: Ranked, n_items: int) -> float:
    """Return the share of all items that appear in some list.

    `ranked` is int32 of shape (lists, places).
    """
    return len(np.unique(ranked[ranked >= 0])) / max(n_items, 1)


def mean_reciprocal_rank(hits: Hits) -> float:
    """Return the mean over lists of one over the position of the first hit, 0 without one.

    `hits` is bool of shape (lists, places).
    """
    if hits.size == 0:
        return 0.0
    return float(np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1), 0.0).mean())


def precision(hits: Hits, cut: int) -> float:
    """Return the share of hits among the first `cut` places, counting missing places.

    `hits` is bool of shape (lists, places).
    """
    return float(hits[:, :cut].sum(axis=1).mean() / cut) if len(hits) else 0.0


def ndcg(hits: Hits, relevant: npt.NDArray[np.integer], cut: int) -> float:
    """Return the discounted gain of the first `cut` places over that of a perfect list, averaged over all lists.

    `hits` is bool of shape (lists, places), `relevant` integers (int32 or int64) of shape (lists,). Formula: Järvelin
    and Kekäläinen 2002, with binary gains.
    """
    return float(ndcg_of_lists(hits, relevant, cut).mean()) if len(hits) else 0.0


def ndcg_of_lists(hits: Hits, relevant: npt.NDArray[np.integer], cut: int) -> npt.NDArray[np.float64]:
    """Return what `ndcg` averages, of each list.

    `hits` is bool of shape (lists, places), `relevant` integers (int32 or int64) of shape (lists,). Returns float64 of
    shape (lists,).
    """
    discounts = 1.0 / np.log2(np.arange(2, cut + 2))
    gained = hits[:, :cut] @ discounts[: min(cut, hits.shape[1])]
    ideal = np.concatenate([[1.0], np.cumsum(discounts)])[np.minimum(relevant, cut)]  # no relevant item: gain is 0
    return np.asarray(gained / ideal)


def weighted_ndcg(gains: npt.NDArray[np.float32], truth: Histories, n_items: int, cut: int) -> float:
    """Return NDCG whose gains are the events' weights over their mean, as with eventsConfig.

    `gains` is float32 of shape (lists, places).
    """
    pairs = truth.unique(n_items)
    if len(gains) == 0 or pairs.nnz == 0:
        return 0.0
    discounts = 1.0 / np.log2(np.arange(2, cut + 2))
    gained = gains[:, :cut] @ discounts[: min(cut, gains.shape[1])]
    users = np.repeat(np.arange(len(truth)), np.diff(pairs.indptr))
    order = np.lexsort((-pairs.data, users))
    position = np.arange(pairs.nnz) - pairs.indptr[users]
    best = np.where(position < cut, pairs.data[order] * discounts[np.minimum(position, cut - 1)], 0.0)
    ideal = np.bincount(users, weights=best, minlength=len(truth))
    return float(np.divide(gained, ideal, out=np.zeros(len(gained)), where=ideal > 0).mean())


def area_under_curve(chances: npt.NDArray[np.float64], taken: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: the share of pairs of a taken and a not taken one in the right order.

    `chances` is float64, `taken` bool, both of shape (examples,). By ranks, as Mann and Whitney 1947.
    """
    positive, negative = int(taken.sum()), int((~taken).sum())
    if positive == 0 or negative == 0:
        return 0.0
    _values, position, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[position]  # ties share the mean of their ranks
    return float((ranks[taken].sum() - positive * (positive + 1) / 2) / (positive * negative))


def segment_metrics(scores: npt.NDArray[np.float32], actual: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the metrics of users x questions: scores, and who really came.

    `scores` is float32, `actual` bool, both of shape (users, questions).
    """
    n_users = len(scores)
    top = max(1, int(n_users * _TOP_SHARE))
    gained = np.flatnonzero(actual.any(axis=0))
    hits, recalls = [], []
    listed = np.zeros(n_users, dtype=np.bool_)
    for question in gained:
        chosen = np.argpartition(-scores[:, question], top - 1)[:top]
        found = int(actual[chosen, question].sum())
        hits.append(found)
        recalls.append(found / int(actual[:, question].sum()))
        listed[chosen] = True
    return {
        "coverage": float(listed.mean()) if n_users else 0.0,
        "hits_at_1_percent": float(np.mean(hits)) if hits else 0.0,
        "recall_at_1_percent": float(np.mean(recalls)) if recalls else 0.0,
    }
