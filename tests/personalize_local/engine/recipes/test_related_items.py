"""Related items: what may be chosen about pairs says what the model lists, and what the data say is chosen."""

import numpy as np
import pytest

from personalize_local.engine.interactions.held_out import newest_held_out, split_users
from personalize_local.engine.interactions.histories import Histories, arrange
from personalize_local.engine.interactions.sparse_matrices import from_cells
from personalize_local.engine.interactions.training_data import load_training_data
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, in_order, in_order_beside
from personalize_local.engine.recipes.related_items import PairSettings, best_settings, shared_rows, with_order
from personalize_local.engine.recipes.similar_items import SimilarItems
from personalize_local.engine.recipes.sims import Sims, shared_evidence
from personalize_local.engine.training.solution_options import read_options
from tests.personalize_local.engine.planted import interactions, snapshot
from tests.personalize_local.engine.recipes.test_hyperparameters import in_order as following


def drawn(n_users: int, n_items: int) -> Histories:
    generator = np.random.default_rng(5)
    users = generator.integers(0, n_users, n_users * 8).astype(np.int32)
    items = generator.integers(0, n_items, len(users)).astype(np.int32)
    return arrange(users, items, np.arange(len(users)), np.ones(len(users), dtype=np.float32), n_users)


@pytest.mark.parametrize(("activity", "least"), [(0.5, 1), (1.0, 3)])
def test_what_is_compared_is_what_the_model_holds(activity: float, least: int) -> None:
    counted = CooccurrenceCounts(20, 0)
    counted.add(drawn(40, 20))
    asked = np.array([3, 17])
    whole = shared_evidence(counted, np.ones(20, dtype=np.float32), least, activity)
    rows = whole[asked] if isinstance(whole, np.ndarray) else whole[asked].toarray()
    assert shared_rows(counted.taken, asked, least)(activity).toarray() == pytest.approx(rows, abs=1e-5)


@pytest.mark.parametrize("limit", [10, 100])
def test_what_follows_the_items_asked_about_is_what_the_model_holds(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("personalize_local.engine.linear_models.cooccurrence.DENSE_LIMIT", limit)
    counted = CooccurrenceCounts(20, 3)
    counted.add(drawn(40, 20))
    counted.add(drawn(30, 20))
    asked = np.array([3, 17])
    whole = in_order(counted)
    rows = whole[asked] if isinstance(whole, np.ndarray) else whole[asked].toarray()
    assert in_order_beside(counted, asked).toarray() == pytest.approx(rows, abs=1e-5)
    assert rows.any(axis=1).all()


def test_both_kinds_count_in_units_of_the_rows_strongest() -> None:
    together = from_cells(np.array([4.0, 2.0]), np.array([0, 0]), np.array([1, 2]), (2, 3))
    order = from_cells(np.array([10.0, 5.0]), np.array([0, 1]), np.array([2, 0]), (2, 3))
    expected = np.array([[0, 1.0, 0.5 + 0.5], [0.5, 0, 0]])
    assert with_order(together, order, 0.5).toarray() == pytest.approx(expected)


def test_order_is_taken_where_it_says_everything() -> None:
    from benchmarks.instruments.bars import spec  # noqa: PLC0415 - only this test makes no model

    options = read_options(spec("aws-similar-items"))
    data = load_training_data(snapshot(following()), options)
    settings = SimilarItems(options).fit(data, split_users(data.histories.lengths, seed=0)).settings
    values = {label: value for label, value in settings["compared"].items() if label != "users"}
    assert max(values.values()) == values[PairSettings(**settings).label]
    assert settings["order"] > 0


def test_settings_given_are_kept() -> None:
    from benchmarks.instruments.bars import spec  # noqa: PLC0415 - see above

    options = read_options(spec("aws-sims"))
    data = load_training_data(snapshot(interactions(240)), options)
    given = {"activity": 1.0, "discount": 0.4, "order": 0.0, "compared": {}}
    assert Sims(options).fit(data, split_users(data.histories.lengths, seed=0), given).settings == given


def test_without_anybody_to_ask_the_usual_settings_hold() -> None:
    nobody = newest_held_out(drawn(40, 20).of(np.zeros(0, dtype=np.int64)))
    assert best_settings(lambda _: pytest.fail("nothing is asked"), nobody, np.ones(20, dtype=np.float32)) == (
        PairSettings()
    )
