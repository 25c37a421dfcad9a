"""Ranked lists for many questions at once, and how well their scores fit what happened."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from emulator.engine.histories import Histories
from emulator.engine.metrics import LIST_LENGTH
from emulator.engine.split import HeldOut
from emulator.engine.top_k import Best, Restrict, best

_SCALES = np.geomspace(0.003, 30.0, 25)
_MOST_USERS_FOR_SCALE = 300


class Scorer(Protocol):
    """What every fitted item model can do: score all items for any history."""

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the scores of the queries from `start` to before `stop`."""


def ranked(
    scorer: Scorer,
    queries: Histories,
    n_items: int,
    k: int = LIST_LENGTH,
    *,
    restrict: Restrict | None = None,
    totals: bool = False,
) -> Best:
    """Return the best items for each query."""

    def score(start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        scorer.score(queries, start, stop, out)

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
