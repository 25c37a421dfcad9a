"""Rank items for many questions at once, and fit the scale on which their scores are chances."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.metrics import LIST_LENGTH
from personalize_local.engine.evaluation.top_k import Restrict, Score, TopK, best
from personalize_local.engine.interactions.held_out import HeldOut
from personalize_local.engine.interactions.histories import Histories

SEEN = np.float32(1000.0)  # taken off the scores of items a user already has
_SCALES = np.geomspace(0.003, 30.0, 25)
_MOST_USERS_FOR_SCALE = 300
_RANDOM_ITEMS = 24


class Scorer(Protocol):
    """What every fitted item model can do: score all items for any history."""

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the scores of the queries from `start` to before `stop`.

        `out` is float32 of shape (stop - start, items).
        """


def ranked(  # noqa: PLR0913 - the last three are refinements that most callers do without
    scorer: Scorer,
    queries: Histories,
    n_items: int,
    k: int = LIST_LENGTH,
    *,
    restrict: Restrict | None = None,
    adjust: Score | None = None,
    totals: bool = False,
) -> TopK:
    """Return the best items for each query; `adjust` may change the scores before anything is made of them.

    The answer's items are int32, its scores float32, both of shape (queries, k).
    """

    def score(start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        scorer.score(queries, start, stop, out)
        if adjust is not None:
            adjust(start, stop, out)

    return best(score, (len(queries), n_items), k, restrict=restrict, totals=totals)


def fit_scale(scorer: Scorer, held_out: HeldOut, n_items: int) -> float:
    """Return the factor that makes the softmax of the scores most likely to give the held-out items."""
    users = np.arange(min(len(held_out.past), _MOST_USERS_FOR_SCALE))
    if len(users) == 0:
        return 1.0
    past, truth = held_out.past.of(users), held_out.truth.of(users)
    scores = np.empty((len(users), n_items), dtype=np.float32)
    scorer.score(past, 0, len(users), scores)
    losses = [_loss(scores, truth, float(scale)) for scale in _SCALES]
    return float(_SCALES[int(np.argmin(losses))])


def _loss(scores: npt.NDArray[np.float32], truth: Histories, scale: float) -> float:
    logits = scores * np.float32(scale)
    peaks = logits.max(axis=1, keepdims=True)
    totals = np.log(np.exp(logits - peaks).sum(axis=1)) + peaks[:, 0]
    users = truth.users()
    taken = np.maximum(logits[users, truth.items] - totals[users], -30.0)  # items ranked last must not decide alone
    return -float(taken.mean()) if len(taken) else 0.0


def repeat_share(held_out: HeldOut, n_items: int) -> float:
    """Return the share of held-out events on items that are already in the user's past."""
    if len(held_out.truth.items) == 0:
        return 0.0
    past = held_out.past.users().astype(np.int64) * n_items + held_out.past.items
    truth = held_out.truth.users().astype(np.int64) * n_items + held_out.truth.items
    return float(np.isin(truth, past).mean())


def fit_popularity_weight(
    scorer: Scorer, popular: npt.NDArray[np.float32], held_out: HeldOut, strengths: Sequence[float]
) -> float:
    """Return the weight of popularity that best ranks a held-out item among random ones the user does not have.

    `strengths` are tried in units of the scores' own spread. Lists to rank hold items that no history speaks about.

    `popular` is float32 of shape (items,).
    """
    users, n_items = np.arange(min(len(held_out.past), _MOST_USERS_FOR_SCALE)), len(popular)
    past, truth = held_out.past.of(users), held_out.truth.of(users)
    scores = np.empty((len(users), n_items), dtype=np.float32)
    scorer.score(past, 0, len(users), scores)
    others = np.random.default_rng(0).integers(0, n_items, (len(truth.items), _RANDOM_ITEMS))
    row, taken = truth.users()[:, None], truth.items[:, None]
    gap = scores[row, taken] - scores[row, others]
    favour = popular[taken] - popular[others]
    usable = np.abs(gap) < SEEN / 2  # items the user already has are ranked last anyway
    spread = float(gap[usable].std()) if usable.any() else 1.0
    right = [float((gap + strength * spread * favour > 0)[usable].mean()) for strength in strengths]
    return strengths[int(np.argmax(right))] * spread
