"""Rank items for many questions at once, and fit the scale on which their scores are chances."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.metrics import LIST_LENGTH
from personalize_local.engine.evaluation.top_k import Restrict, Score, TopK, best
from personalize_local.engine.interactions.held_out import HeldOut
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.processes.parallel_rows import in_parallel

SEEN = np.float32(1000.0)  # taken off the scores of items a user already has
_SCALES = np.geomspace(0.003, 30.0, 25)
_MOST_USERS_FOR_SCALE = 300
_ROWS_AT_ONCE, _ROWS_IN_CACHE = 150, 16


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
    log_totals = np.empty((len(_SCALES), len(users)), dtype=np.float32)

    def work(first: int, last: int) -> None:
        scorer.score(past, first, last, scores[first:last])
        for start in range(first, last, _ROWS_IN_CACHE):
            block = scores[start : min(start + _ROWS_IN_CACHE, last)]
            block -= block.max(axis=1, keepdims=True)  # the peak is zero, whatever the scale
            for totals, scale in zip(log_totals, _SCALES, strict=True):
                totals[start : start + len(block)] = np.log(np.exp(block * np.float32(scale)).sum(axis=1))

    in_parallel(work, len(users), _ROWS_AT_ONCE)
    asked = truth.users()
    taken = scores[asked, truth.items]
    losses = [
        _loss(taken * np.float32(scale) - totals[asked]) for totals, scale in zip(log_totals, _SCALES, strict=True)
    ]
    return float(_SCALES[int(np.argmin(losses))])


def _loss(log_chances: Floats) -> float:
    bounded = np.maximum(log_chances, -30.0)  # items ranked last must not decide alone
    return -float(bounded.mean()) if len(bounded) else 0.0


def repeat_share(held_out: HeldOut, n_items: int) -> float:
    """Return the share of held-out events on items that are already in the user's past."""
    if len(held_out.truth.items) == 0:
        return 0.0
    past = held_out.past.users().astype(np.int64) * n_items + held_out.past.items
    truth = held_out.truth.users().astype(np.int64) * n_items + held_out.truth.items
    return float(np.isin(truth, past).mean())
