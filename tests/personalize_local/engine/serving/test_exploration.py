"""Exploration and promotions keep lists whole, whatever they are given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_local.engine.serving.exploration import Exploration, keys_for
from personalize_local.engine.serving.promotions import promote

N_ITEMS = 60


@settings(max_examples=60, deadline=None)
@given(
    weight=st.floats(0.01, 1.0), length=st.integers(1, 25), new=st.integers(1, 40), seed=st.integers(0, 10**6),
    filled=st.integers(0, 25),
)  # fmt: skip
def test_explored_lists_hold_each_item_once_and_lose_none(
    weight: float, length: int, new: int, seed: int, filled: int
) -> None:
    generator = np.random.default_rng(seed)
    listed = np.full((4, length), -1, dtype=np.int32)
    for row in range(4):
        there = min(filled, length)
        listed[row, :there] = generator.permutation(N_ITEMS)[:there]
    exploration = Exploration(weight, np.sort(generator.permutation(N_ITEMS)[:new]))
    logits = generator.normal(size=(4, N_ITEMS)).astype(np.float32)
    keys = keys_for(seed, ["a", "b", "c", None])
    drawn = exploration.draw(logits, keys, length)
    swap = exploration.plan(listed, drawn, keys)
    mixed = swap.apply(listed, drawn)
    for before, after, explored in zip(listed, mixed, swap.explored, strict=True):
        there = after[after >= 0]
        assert len(there) == len(set(there)) == (before >= 0).sum()
        assert set(after[explored]) <= set(exploration.new_items)
        assert not set(after[explored]) & set(before)
        assert list(after[~explored & (after >= 0)]) == list(
            before[before >= 0][: int((~explored & (after >= 0)).sum())]
        )


def test_ruled_out_items_are_never_drawn() -> None:
    exploration = Exploration(1.0, np.arange(10))
    logits = np.full((1, N_ITEMS), -np.inf, dtype=np.float32)
    logits[0, 3], logits[0, 4] = 0.0, -1000.0  # one possible, one that the user has
    assert set(exploration.draw(logits, keys_for(1, ["a"]), 10)[0]) == {3, -1}


def first_draws(better: float, ruled_out: int = 0) -> float:
    """Return how often the first of two new items is drawn, given the probability of it."""
    exploration = Exploration(1.0, np.arange(2 + ruled_out))
    logits = np.log(np.array([better, 1 - better], dtype=np.float32))
    row = np.concatenate([logits, np.full(ruled_out, -1000, dtype=np.float32)])
    keys = keys_for(7, [str(number) for number in range(4000)])
    return float((exploration.draw(np.tile(row, (4000, 1)), keys, 1)[:, 0] == 0).mean())


def test_draws_follow_the_models_probabilities() -> None:
    assert abs(first_draws(0.9) - 0.9) < 0.03


@pytest.mark.parametrize("ruled_out", [0, 5])
def test_chance_alone_does_not_decide_among_items_that_hardly_differ(ruled_out: int) -> None:
    """Choice of ours: logits that spread less are stretched to a standard deviation of one."""
    assert abs(first_draws(0.52, ruled_out) - 1 / (1 + np.exp(-2))) < 0.03
    assert abs(first_draws(0.5, ruled_out) - 0.5) < 0.03


@settings(max_examples=60, deadline=None)
@given(percent=st.integers(1, 100), length=st.integers(1, 30), listed=st.integers(0, 30), promoted=st.integers(0, 30))
def test_promotions_fill_the_list_without_doubles(percent: int, length: int, listed: int, promoted: int) -> None:
    generator = np.random.default_rng(percent * 31 + length)
    ranked = generator.permutation(N_ITEMS)[: min(listed, length)].astype(np.int32)
    passing = generator.permutation(N_ITEMS)[:promoted].astype(np.int32)
    answer, chosen = promote(ranked, passing, percent, length, generator)
    assert len(answer) == len(set(answer.tolist())) <= length
    assert len(chosen) == min(promoted, max(1, length * percent // 100))
    assert [item for item in answer if item in set(chosen.tolist())] == chosen.tolist()
    assert len(answer) >= min(len(ranked), length)
