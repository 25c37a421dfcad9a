"""The matrices the recommenders are made of, against plain definitions."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from personalize_local.engine.interactions import held_out, sparse_matrices
from personalize_local.engine.interactions.held_out import measurable, newest_held_out, split_users
from personalize_local.engine.interactions.histories import Histories, append, arrange, encode, find
from personalize_local.engine.interactions.sparse_matrices import (
    dense_product,
    from_rows,
    plus_mirrored,
    product,
    strongest,
)
from personalize_local.engine.linear_models import cooccurrence
from personalize_local.engine.linear_models import item_vectors as item_vectors_module
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, both_ways, in_order
from personalize_local.engine.linear_models.item_vectors import eigenvectors, item_vectors
from personalize_local.engine.linear_models.item_weights import base_weights
from personalize_local.engine.linear_models.weights import blend
from personalize_local.engine.recipes.sims import shared_evidence


def histories(n_users: int = 40, n_items: int = 30, n: int = 400) -> Histories:
    generator = np.random.default_rng(2)
    return arrange(
        generator.integers(0, n_users, n).astype(np.int32),
        generator.integers(0, n_items, n).astype(np.int32),
        generator.integers(0, 10**9, n),
        np.ones(n, dtype=np.float32),
        n_users,
    )


@pytest.mark.parametrize("dense_from", [0.0, 1e9])
def test_meetings_are_what_their_definition_says(monkeypatch: pytest.MonkeyPatch, dense_from: float) -> None:
    monkeypatch.setattr(cooccurrence, "_DENSE_FROM", dense_from)
    past = histories()
    counted = CooccurrenceCounts(30, 5)
    counted.add(past.of(np.arange(25)))
    counted.add(past.of(np.arange(25, 40)))
    transitions = np.zeros((30, 30))
    for user in range(40):
        items = past.items[past.offsets[user] : past.offsets[user + 1]]
        for place, item in enumerate(items):
            for distance, later in enumerate(items[place + 1 : place + 6], start=1):
                transitions[item, later] += np.exp(-(distance - 1) / 10)
    held = past.unique(30).toarray()
    dense = (
        matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
        for matrix in (counted.shared, counted.transitions)
    )
    shared, found = dense
    assert np.array_equal(shared, held.T @ held)
    assert found == pytest.approx(transitions, abs=1e-4)
    assert np.array_equal(counted.popularity, held.sum(axis=0))


@pytest.mark.parametrize("cells_in_cache", [1, 100, 10**6])
def test_a_dense_product_is_that_of_the_matrices(monkeypatch: pytest.MonkeyPatch, cells_in_cache: int) -> None:
    monkeypatch.setattr(sparse_matrices, "_CELLS_IN_CACHE", cells_in_cache)
    ones = histories().unique(30)
    weighted = from_rows(np.arange(ones.nnz, dtype=np.float32) % 7, ones.indices, ones.indptr, 30)
    for left in (ones, weighted):
        expected = left.toarray().T @ weighted.toarray()
        for dense in (True, False):
            found = product(left, weighted, dense=dense)
            assert isinstance(found, np.ndarray) == dense
            assert (found if isinstance(found, np.ndarray) else found.toarray()) == pytest.approx(expected)
        assert dense_product(csr_array(left.T), weighted) == pytest.approx(expected)


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_a_matrix_is_added_to_a_share_of_its_mirror_image(rows: int) -> None:
    matrix = np.random.default_rng(rows).normal(size=(rows, rows)).astype(np.float32)
    assert plus_mirrored(matrix, 0.25) == pytest.approx(matrix + 0.25 * matrix.T, abs=1e-6)


@pytest.mark.parametrize("above_the_limit", [True, False])
def test_an_event_counts_by_the_weight_of_the_later_one(monkeypatch: pytest.MonkeyPatch, above_the_limit: bool) -> None:
    monkeypatch.setattr(cooccurrence, "DENSE_LIMIT", 1 if above_the_limit else 10_000)
    users, items = np.array([0, 0, 0, 1, 1], dtype=np.int32), np.array([0, 1, 0, 1, 2], dtype=np.int32)
    weights = np.array([0.5, 2.0, 0.0, 1.0, 4.0], dtype=np.float32)
    counted = CooccurrenceCounts(4, 9)
    counted.add(arrange(users, items, np.arange(5), weights, 2))
    rows, columns = (np.maximum(counted.popularity, 1) ** -power for power in (0.5, 0.3))
    followed = np.zeros((4, 4))
    followed[0, 1], followed[1, 2] = 2.0, 4.0
    expected = (followed + 0.3 * followed.T) * rows[:, None] * columns
    found = in_order(counted)
    assert (found if isinstance(found, np.ndarray) else found.toarray()) == pytest.approx(expected)


def test_few_events_among_many_items_are_counted_sparsely() -> None:
    few = CooccurrenceCounts(5_000, 5)
    few.add(histories(n_items=5_000))
    assert not isinstance(few.shared, np.ndarray)
    assert few.shared.nnz < 0.01 * 5_000**2
    assert few.transitions.nnz < 0.01 * 5_000**2
    assert few.fits_densely


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_sparse_and_dense_counts_make_the_same_model(monkeypatch: pytest.MonkeyPatch, weight: float) -> None:
    def mixed(dense_from: float) -> np.ndarray:
        monkeypatch.setattr(cooccurrence, "_DENSE_FROM", dense_from)
        counted = CooccurrenceCounts(30, 5)
        counted.add(histories())
        assert isinstance(counted.shared, np.ndarray) == (dense_from == 0)
        return blend(base_weights(counted), both_ways(counted.transitions, counted.popularity), weight, 30).toarray()

    assert mixed(0) == pytest.approx(mixed(1e9), rel=1e-4, abs=1e-5)


def _all_weights(past: Histories) -> list[np.ndarray]:
    """Return every matrix that a model may be made of."""
    counted = CooccurrenceCounts(30, 5)
    counted.add(past.of(np.arange(25)))
    counted.add(past.of(np.arange(25, 40)))
    factors = np.maximum(counted.popularity, 1) ** np.float32(-0.4)
    made = [base_weights(counted, "RP3beta").block(np.arange(30)), in_order(counted)]
    made.append(shared_evidence(counted, factors, 2))
    return [np.asarray(each if isinstance(each, np.ndarray) else each.toarray()) for each in made]


@pytest.mark.parametrize("cells_at_once", [1, 200])
def test_above_the_dense_limit_blocks_of_rows_make_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, cells_at_once: int
) -> None:
    whole = _all_weights(histories())
    monkeypatch.setattr(cooccurrence, "DENSE_LIMIT", 10)
    monkeypatch.setattr(sparse_matrices, "_CELLS_AT_ONCE", cells_at_once)
    for expected, found in zip(whole, _all_weights(histories()), strict=True):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    monkeypatch.setattr(cooccurrence, "_HELD_BYTES", 0)
    monkeypatch.setattr(cooccurrence, "_LEAST_HELD", 4)
    for expected, found in zip(whole, _all_weights(histories()), strict=True):
        assert (found != 0).sum(axis=1).max() == 4
        assert np.sort(found, axis=1)[:, -4:] == pytest.approx(np.sort(expected, axis=1)[:, -4:], rel=1e-4)


def test_item_vectors_span_the_leading_eigenvectors() -> None:
    generator = np.random.default_rng(0)
    planted = generator.normal(size=(200, 6)) * [9, 8, 7, 6, 5, 4]
    shared = (planted @ planted.T).astype(np.float32)
    vectors = eigenvectors(lambda basis: shared @ basis, 200, 6)
    assert vectors.T @ vectors == pytest.approx(np.eye(6), abs=1e-3)
    assert vectors @ (vectors.T @ shared) == pytest.approx(shared, abs=0.05 * float(np.abs(shared).max()))


def test_item_vectors_are_those_of_the_shared_users_by_either_side(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = CooccurrenceCounts(30, 0, 0.5)
    counted.add(histories())

    def found(cost: float) -> np.ndarray:
        monkeypatch.setattr(item_vectors_module, "_SPARSE_COST", cost)
        vectors = item_vectors(counted, 5)
        return vectors @ vectors.T

    assert found(0) == pytest.approx(found(1e9), abs=1e-2)


@pytest.mark.parametrize("keep", [1, 3, 7])
def test_strongest_keeps_no_more_where_cells_are_equal(keep: int) -> None:
    tied = np.random.default_rng(0).integers(-2, 3, (40, 9)).astype(np.float32)
    found = strongest(tied, keep)
    lengths = np.diff(found.indptr)
    assert np.array_equal(lengths, np.minimum(keep, (tied != 0).sum(axis=1)))
    for row in range(40):
        left = np.setdiff1d(np.arange(9), found.indices[found.indptr[row] : found.indptr[row + 1]])
        kept = np.abs(found.data[found.indptr[row] : found.indptr[row + 1]])
        assert np.abs(tied[row, left]).max(initial=0) <= kept.min(initial=9) or lengths[row] < keep


@pytest.mark.parametrize("sparse", [True, False])
def test_strongest_keeps_the_largest_of_each_row(sparse: bool) -> None:
    matrix = np.random.default_rng(0).normal(size=(9, 50)).astype(np.float32)
    expected = np.where(np.abs(matrix) >= np.sort(np.abs(matrix), axis=1)[:, -7:-6], matrix, 0)
    found = strongest(csr_array(matrix) if sparse else matrix, 7)
    assert np.array_equal(found.toarray(), expected)


def test_the_newest_tenth_is_held_out() -> None:
    """Fact: the oldest 90 % of a test user's events are the question, the newest 10 % the truth."""
    past = histories()
    cut = newest_held_out(past)
    for user, length in enumerate(past.lengths[past.lengths > 1]):
        assert cut.truth.lengths[user] == -(-length // 10)
        older, newer = cut.past.slice(user, user + 1), cut.truth.slice(user, user + 1)
        assert len(older.items) + len(newer.items) == length
        assert older.times.max(initial=0) <= newer.times.min(initial=10**10)


def test_a_model_is_measured_with_all_users_that_can_be_afforded(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = newest_held_out(histories())
    assert measurable(everyone, 30, seed=1) is everyone
    monkeypatch.setattr(held_out, "_MOST_MEASURED", 0)
    monkeypatch.setattr(held_out, "_LEAST_MEASURED", 7)
    some = measurable(everyone, 30, seed=1)
    assert len(some.past) == len(some.truth) == 7
    pairs = {(*everyone.past.slice(u, u + 1).times, *everyone.truth.slice(u, u + 1).times) for u in range(40)}
    assert {(*some.past.slice(u, u + 1).times, *some.truth.slice(u, u + 1).times) for u in range(7)} <= pairs


def test_a_tenth_of_the_users_is_never_trained_on() -> None:
    lengths = np.random.default_rng(0).integers(1, 9, 1000)
    split = split_users(lengths, seed=4)
    parts = [set(split.fit), set(split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1000
    assert len(split.test) == -(-int((lengths > 1).sum()) // 10)
    assert all(lengths[user] > 1 for user in parts[1])


def test_ids_are_found_and_unknown_ones_are_not() -> None:
    import polars as pl  # noqa: PLC0415 - one test of this module needs it

    ids, coded = encode(pl.Series(["b", "ü", "a", "b"]))
    assert ids.to_list() == ["a", "b", "ü"]
    assert coded.tolist() == [1, 2, 0, 1]
    assert find(ids, ["ü", "zz", "", "a"]).tolist() == [2, -1, -1, 0]
    assert [int(find(ids, [one])[0]) for one in ("ü", "zz", "", "a", "漢")] == [2, -1, -1, 0, -1]


def test_streamed_events_follow_the_others_once() -> None:
    past = arrange(*_events([1, 2], [10, 20]), 1)
    both = append(past, arrange(*_events([2, 3], [20, 15]), 1))
    assert both.items.tolist() == [1, 3, 2]


def _events(items: list[int], times: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    users = np.zeros(len(items), dtype=np.int32)
    return users, np.array(items, dtype=np.int32), np.array(times), np.ones(len(items), dtype=np.float32)


def test_events_of_any_time_stay_with_their_user() -> None:
    times = np.array([2**40, -5, 3, 10**11])
    users, items = np.array([0, 0, 1, 1], dtype=np.int32), np.array([1, 2, 3, 4], dtype=np.int32)
    past = arrange(users, items, times, np.ones(4, dtype=np.float32), 2)
    assert past.items.tolist() == [2, 1, 3, 4]
