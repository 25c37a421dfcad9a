"""The scale on which scores are chances, against its definition."""

import numpy as np
import numpy.typing as npt
import pytest

from personalize_local.engine.evaluation import ranked_lists
from personalize_local.engine.evaluation.ranked_lists import _SCALES, fit_scale
from personalize_local.engine.interactions.held_out import HeldOut
from personalize_local.engine.interactions.histories import Histories, one_item_each

USERS, ITEMS = 40, 12


class Given:
    """Scores each user's items as given, by the item of the user's history, which is the user's number."""

    def __init__(self, scores: npt.NDArray[np.float32]) -> None:
        self.scores = scores

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        out[:] = self.scores[queries.items[start:stop]]


@pytest.mark.parametrize("planted", [0.1, 1.0, 10.0])
def test_the_scale_makes_what_was_taken_likeliest(monkeypatch: pytest.MonkeyPatch, planted: float) -> None:
    monkeypatch.setattr(ranked_lists, "_ROWS_AT_ONCE", 9)
    generator = np.random.default_rng(3)
    scores = generator.normal(size=(USERS, ITEMS)) * 2
    taken = np.array([int(np.argmax(row * planted + generator.gumbel(size=ITEMS))) for row in scores])
    held_out = HeldOut(one_item_each(np.arange(USERS)), one_item_each(taken))

    def loss(scale: float) -> float:
        chances = np.exp(scores * scale) / np.exp(scores * scale).sum(axis=1, keepdims=True)
        return -float(np.maximum(np.log(chances[np.arange(USERS), taken]), -30).mean())

    expected = min(_SCALES, key=loss)
    assert fit_scale(Given(scores.astype(np.float32)), held_out, ITEMS) == pytest.approx(expected)
    assert planted / 5 < expected < planted * 5
