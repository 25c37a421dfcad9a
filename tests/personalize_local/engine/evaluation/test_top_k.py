"""The kernel against a full sort, the authority on what the best k are."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_local.engine.evaluation.top_k import TopK, best


def run(scores: npt.NDArray[np.float32], k: int, *, totals: bool = False) -> TopK:
    def copy(start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        out[:] = scores[start:stop]

    return best(copy, (scores.shape[0], scores.shape[1]), k, totals=totals)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 9), columns=st.integers(1, 900), k=st.integers(1, 30), levels=st.sampled_from([1, 3, 50, 10**6])
)
def test_equals_a_stable_full_sort_whatever_the_ties(rows: int, columns: int, k: int, levels: int) -> None:
    generator = np.random.default_rng(rows * 1000 + columns)
    scores = generator.integers(0, levels, (rows, columns)).astype(np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = run(scores, k)
    assert np.array_equal(found.items, expected)
    assert np.array_equal(found.scores, np.take_along_axis(scores, expected, axis=1))


def test_many_rows_are_answered_in_their_own_order() -> None:
    scores = np.random.default_rng(0).normal(size=(3000, 700)).astype(np.float32)
    assert np.array_equal(run(scores, 10).items, np.argsort(-scores, axis=1, kind="stable")[:, :10])


def test_what_is_ruled_out_is_not_listed() -> None:
    scores = np.random.default_rng(0).normal(size=(5, 600)).astype(np.float32)
    scores[:, 3:] = -np.inf
    found = run(scores, 5)
    assert (found.items[:, 3:] == -1).all()
    assert (np.sort(found.items[:, :3], axis=1) == [0, 1, 2]).all()


def test_totals_are_those_before_the_restriction() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)

    def copy(start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        out[:] = scores[start:stop]

    def hide(_start: int, _stop: int, out: npt.NDArray[np.float32]) -> None:
        out[:, ::2] = -np.inf

    found = best(copy, (4, 300), 5, restrict=hide, totals=True)
    assert found.log_totals is not None
    assert found.log_totals == pytest.approx(np.log(np.exp(scores.astype(np.float64)).sum(axis=1)), rel=1e-5)
    assert (found.items % 2 == 1).all()


def test_nothing_to_list_is_an_empty_answer() -> None:
    assert run(np.zeros((0, 5), dtype=np.float32), 3).items.shape == (0, 3)
    assert run(np.zeros((2, 5), dtype=np.float32), 0).items.shape == (2, 0)
