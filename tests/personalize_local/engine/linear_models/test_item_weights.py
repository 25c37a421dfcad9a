"""Item-to-item weights: the closed forms of their papers, and the same answers by every way they are computed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from personalize_local.engine.interactions.histories import Histories, arrange
from personalize_local.engine.interactions.sparse_matrices import from_cells
from personalize_local.engine.linear_models import item_weights
from personalize_local.engine.linear_models import weights as weights_module
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, both_ways
from personalize_local.engine.linear_models.item_weights import (
    ACTIVITY,
    FIRM,
    GENTLE,
    EaseSettings,
    base_names,
    base_weights,
    bases,
    ease_of_items,
    ease_of_users,
    penalties,
)
from personalize_local.engine.linear_models.weights import HeldWeights, Weights, blend, spread


def histories(n_users: int, n_items: int, events: int = 300) -> Histories:
    generator = np.random.default_rng(1)
    users = np.sort(generator.integers(0, n_users, events)).astype(np.int32)
    items = generator.integers(0, n_items, events).astype(np.int32)
    times = generator.integers(0, 10**9, events)
    return arrange(users, items, times, np.ones(events, dtype=np.float32), n_users)


def counted(n_users: int, n_items: int, activity: float = ACTIVITY) -> CooccurrenceCounts:
    counts = CooccurrenceCounts(n_items, 5, activity)
    counts.add(histories(n_users, n_items))
    return counts


def paper_weights(held: np.ndarray, power: float, settings: EaseSettings) -> np.ndarray:
    """Return EASE's closed form for users who count by one over the power of their length, in double precision."""
    counts = held.sum(axis=1, keepdims=True).clip(1) ** -power
    shared = held.T @ (held * counts)
    own = np.diag(shared)
    inverse = np.linalg.inv(shared + np.diag(settings.ridge * own.sum() / held.sum() + 0.6 * own))
    expected = -inverse / np.diag(inverse)[None, :] ** settings.column_power
    np.fill_diagonal(expected, 0)
    return expected


@pytest.mark.parametrize(("name", "settings"), [("EASE", GENTLE), ("firm EASE", FIRM)])
@pytest.mark.parametrize("activity", [0.0, ACTIVITY])
@pytest.mark.parametrize(("n_users", "n_items"), [(60, 30), (12, 40)])
def test_ease_is_the_closed_form_of_its_papers_by_both_sides(
    n_users: int, n_items: int, activity: float, name: str, settings: EaseSettings
) -> None:
    """Fact: Steck 2019, -P / diag(P) off the diagonal with P the inverse of X'X + penalties; Steck 2020 for gaps."""
    counts = counted(n_users, n_items, activity)
    expected = paper_weights(counts.taken.toarray().astype(np.float64), activity, settings)
    penalty = penalties(counts.shared.diagonal(), counts.popularity, settings.ridge)
    through_items = ease_of_items(counts.shared, penalty, settings.column_power)
    assert through_items == pytest.approx(expected, rel=1e-3, abs=1e-5)
    through_users = ease_of_users(counts.taken, counts.weighted, settings).block(np.arange(n_items))
    assert through_users == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert base_weights(counts, name).block(np.arange(n_items)) == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_where_not_all_items_can_be_afforded_ease_is_that_of_the_most_popular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize_local.engine.linear_models.cooccurrence.DENSE_LIMIT", 20)
    monkeypatch.setattr(item_weights, "_POPULAR_ITEMS", 10)
    counts = counted(60, 30, 0.0)
    popular = np.sort(np.argsort(-counts.popularity, kind="stable")[:10])
    expected = paper_weights(counts.taken.toarray().astype(np.float64)[:, popular], 0.0, GENTLE)
    block: Any = bases(counts, ["EASE"])["EASE"].block(np.arange(30))
    found = block.toarray()
    assert found[np.ix_(popular, popular)] == pytest.approx(expected, rel=1e-3, abs=1e-5)
    others = np.setdiff1d(np.arange(30), popular)
    assert not found[others].any()
    assert not found[:, others].any()


@pytest.mark.parametrize("activity", [0.5, 0.8])
@pytest.mark.parametrize(("n_users", "n_items"), [(60, 30), (12, 40)])
def test_walks_are_the_chances_of_their_paper(n_users: int, n_items: int, activity: float) -> None:
    """Fact: Paudel et al. 2016, each step to a power, over the last item's popularity to that of 0.3."""
    held = histories(n_users, n_items).unique(n_items).toarray().astype(np.float64)
    popular = np.maximum(held.sum(axis=0), 1)
    lengths = np.maximum(held.sum(axis=1, keepdims=True), 1)
    expected = (held / popular**0.8).T @ (held / lengths**activity) * popular**-0.3
    np.fill_diagonal(expected, 0)
    counts = counted(n_users, n_items, activity)
    assert base_weights(counts, "RP3beta").block(np.arange(n_items)) == pytest.approx(expected, abs=1e-5)
    assert counts.shared.diagonal().any()  # the counts are as they were


@pytest.mark.parametrize("name", ["EASE", "RP3beta", "EASE + RP3beta"])
def test_what_goes_through_the_users_scores_as_the_matrix_does(name: str) -> None:
    counts = counted(12, 40)
    weights = base_weights(counts, name)
    assert not isinstance(weights, HeldWeights)
    asked = from_cells(np.array([1.0, 2.0, 1.0]), np.array([0, 0, 1]), np.array([3, 4, 3]), (2, 40))
    assert weights.of(asked) == pytest.approx(asked.toarray() @ weights.block(np.arange(40)), abs=1e-5)
    order = both_ways(counts.transitions, counts.popularity)
    held = HeldWeights(np.asarray(weights.block(np.arange(40))))
    assert blend(weights, order, 2.0, 10).toarray() == pytest.approx(blend(held, order, 2.0, 10).toarray(), rel=1e-3)


@pytest.mark.parametrize("n_users", [12, 60])
def test_dense_weights_lie_by_rows_and_are_made_once(monkeypatch: pytest.MonkeyPatch, n_users: int) -> None:
    """A product of sparse histories with columns that lie together would copy the whole matrix each time."""
    made: list[str] = []

    def remembered(name: str) -> Callable[[CooccurrenceCounts], Weights]:
        make = item_weights._SINGLE[name]

        def remembering(counts: CooccurrenceCounts) -> Weights:
            made.append(name)
            return make(counts)

        return remembering

    monkeypatch.setattr(item_weights, "_SINGLE", {name: remembered(name) for name in item_weights._SINGLE})
    counts = counted(n_users, 40)
    found = bases(counts, base_names(counts))
    assert made == ["firm EASE", "RP3beta", "EASE"]
    fields = [vars(part).values() for weights in found.values() for part in getattr(weights, "parts", (weights,))]
    matrices = [value for values in fields for value in values if isinstance(value, np.ndarray) and value.ndim == 2]
    assert matrices
    order = both_ways(np.arange(9, dtype=np.float32).reshape(3, 3), np.ones(3, dtype=np.float32))
    assert all(matrix.flags["C_CONTIGUOUS"] for matrix in (*matrices, np.asarray(order)))


@pytest.mark.parametrize("n_users", [12, 60])
@pytest.mark.parametrize("name", ["EASE", "RP3beta", "EASE + RP3beta"])
def test_the_rows_of_some_items_are_those_of_the_whole_blend(name: str, n_users: int) -> None:
    counts = counted(n_users, 40)
    order = both_ways(counts.transitions, counts.popularity)
    whole = blend(base_weights(counts, name), order, 2.0, 10).toarray()
    asked = np.array([0, 3, 17, 39])
    some = blend(base_weights(counts, name), order, 2.0, 10, asked).toarray()
    assert some[asked] == pytest.approx(whole[asked], abs=1e-4)
    assert not np.delete(some, asked, axis=0).any()
    assert whole[asked].any(axis=1).all()


def test_a_mixture_adds_half_the_second_in_units_of_either_spread() -> None:
    """Choice: the share was set on validation parts."""
    names = ["EASE", "RP3beta"]
    found = bases(counted(60, 30), [*names, " + ".join(names)])
    first, second, both = (weights.block(np.arange(30)) for weights in found.values())
    units = [float(spread(found[name])) for name in names]
    assert both == pytest.approx(first / units[0] + 0.5 * second / units[1], rel=1e-4, abs=1e-6)


def test_no_dense_matrix_is_made_where_both_sides_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize_local.engine.linear_models.cooccurrence.DENSE_LIMIT", 10)
    counts = counted(60, 30)
    assert base_names(counts) == ["EASE + RP3beta", "RP3beta"]
    for name in ("EASE", "a name of old", *base_names(counts)):
        assert not base_weights(counts, name).dense


def test_the_spread_of_many_rows_is_that_of_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).normal(size=(900, 900)).astype(np.float32)
    assert spread(HeldWeights(matrix)) == pytest.approx(1.0, rel=0.01)
    monkeypatch.setattr(weights_module, "_SPREAD_ROWS", 1000)
    assert spread(HeldWeights(matrix)) == pytest.approx(float(np.sqrt((matrix**2).mean())), rel=1e-5)
