"""What is computed once: for the very object it was computed from, and only for so many of them."""

import numpy as np
import pytest

from personalize_local.engine.interactions.histories import Histories, one_item_each
from personalize_local.engine.serving import questions
from personalize_local.engine.serving.questions import ComputedOnce


def test_what_was_computed_is_of_the_very_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_KEPT_HISTORIES", 2)
    computed: list[int] = []

    def history(item: int) -> Histories:
        computed.append(item)
        return one_item_each(np.array([item]))

    once, sources = ComputedOnce(), [[], [], []]  # type: ignore[var-annotated] # equal, but not the same
    for item in (0, 1, 0, 1, 2, 1, 0):
        assert once.get(sources[item], lambda item=item: history(item)).items.tolist() == [item]  # type: ignore[misc]
    assert computed == [0, 1, 2, 0]  # the first was forgotten for the third
