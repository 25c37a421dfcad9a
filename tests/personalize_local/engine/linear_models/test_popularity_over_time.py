"""Popularity over time: its counts by their definition, and that models take it up where, and only where, it helps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.api import Query
from personalize_local.engine.interactions.histories import Histories, arrange, one_item_each
from personalize_local.engine.interactions.model_files import load_facts
from personalize_local.engine.interactions.sparse_matrices import from_rows
from personalize_local.engine.linear_models.fitted_models import FitSettings, ItemToItem, Prior, periods
from personalize_local.engine.linear_models.popularity_over_time import (
    PopularityOverTime,
    of_all_items,
)
from personalize_local.engine.training.saved_model import load_model
from tests.personalize_local.engine.planted import NOW, START, fit, interactions, snapshot

RECIPE = "aws-user-personalization"
ITEMS = 30


def histories(count: int = 4000, users: int = 50) -> Histories:
    generator = np.random.default_rng(5)
    times = generator.integers(0, 10**6, count)
    items = (generator.integers(0, 10, count) + times * 20 // 10**6).astype(np.int32)  # the later, the higher
    return arrange(
        generator.integers(0, users, count).astype(np.int32), items, times, np.ones(count, dtype=np.float32), users
    )


def counted(parts: list[Histories]) -> PopularityOverTime:
    found = PopularityOverTime(histories().times, ITEMS)
    for part in parts:
        found.add(part)
    return found


def test_lift_is_what_its_definition_says() -> None:
    past = histories()
    found = counted([past])
    lift, which = found.lift(), periods(found.edges, past.times)
    assert lift.shape == (32, ITEMS)
    assert np.bincount(which).min() > 100  # as many events in each
    overall = (np.bincount(past.items, minlength=ITEMS) + 0.5) / (len(past.items) + 0.5 * ITEMS)
    for period in (0, 17, 31):
        near = [np.exp(-abs(int(each) - period)) for each in which]
        weighed = np.bincount(past.items, near, ITEMS) + 0.5 * np.mean(near) + 50 * overall
        assert lift[period] == pytest.approx(np.log(weighed / weighed.sum() / overall), abs=1e-4)


def test_users_added_in_parts_count_as_if_at_once() -> None:
    past = histories()
    parts = [past.of(np.arange(20)), past.of(np.arange(20, 50))]
    assert counted(parts).lift() == pytest.approx(counted([past]).lift())


def test_where_everything_came_at_one_time_there_is_no_trend() -> None:
    past = replace(histories(), times=np.full(4000, 7))
    found = PopularityOverTime(past.times, ITEMS)
    found.add(past)
    assert np.abs(found.lift()).max() == pytest.approx(0, abs=1e-4)


def test_without_events_there_is_no_trend() -> None:
    assert not counted([]).lift().any()


def test_the_users_last_event_says_which_period_counts() -> None:
    edges = np.array([100, 200])
    added = Prior(np.arange(6, dtype=np.float32).reshape(3, 2), edges)
    three = Histories(
        np.array([0, 2, 2, 3]), np.array([0, 1, 0], dtype=np.int32), np.array([50, 100, 99]), np.ones(3, dtype="f4")
    )
    scores = np.zeros((3, 2), dtype=np.float32)
    added.add_to(scores, three)
    assert scores.tolist() == [[2, 3], [4, 5], [0, 1]]  # nobody's period is the last
    added.add_to(scores, one_item_each(np.array([-1, -1, -1])))
    assert scores[:, 0].tolist() == [6, 8, 4]


def test_a_saved_model_is_asked_now() -> None:
    added = Prior(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([100, 200]))
    nothing = from_rows(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int32), np.zeros(3, dtype=np.int64), 2)
    saved = ItemToItem(nothing, added, np.zeros(2, dtype=np.float32), FitSettings(repeats=True)).arrays()
    scores = np.zeros((1, 2), dtype=np.float32)
    long_ago = one_item_each(np.array([0]))
    ItemToItem.load(saved, FitSettings(repeats=True).to_json()).score(long_ago, 0, 1, scores)
    assert scores.tolist() == [[4, 5]]


def test_an_item_nobody_took_yet_lies_between_those_it_is_like() -> None:
    values = np.array([[1, 3], [5, 7]], dtype=np.float32)
    shares = from_rows(np.array([0.5, 0.5], dtype=np.float32), np.array([0, 1]), np.array([0, 2]), 2)
    assert of_all_items(values, shares, 3).tolist() == [[1, 3, 2], [5, 7, 6]]
    assert of_all_items(values, None, 3).tolist() == [[1, 3, 0], [5, 7, 0]]


def fashions() -> pl.DataFrame:
    """Return users of a few events, each in one of twenty weeks; each week has six items of its own that many take."""
    generator = np.random.default_rng(8)
    rows = []
    for user in range(900):
        week, weight = user % 20, np.ones(120)
        weight[week * 6 : week * 6 + 6] = 25
        taken = generator.choice(120, size=5, replace=False, p=weight / weight.sum())
        rows += [(f"u{user}", f"i{item}", START + week * 604_800 + step) for step, item in enumerate(taken)]
    return pl.DataFrame(rows, schema=["USER_ID", "ITEM_ID", "TIMESTAMP"], orient="row")


def test_where_fashions_change_the_newest_is_recommended_whenever_a_user_was_there(tmp_path: Path) -> None:
    fit(tmp_path, RECIPE, snapshot(fashions()), {}, "films/one")
    assert load_facts(tmp_path / "films/one")["settings"]["trend"] > 0
    model = load_model(tmp_path / "films/one")
    newest = {f"i{item}" for item in range(114, 120)}
    for user, least in (("u39", 1), ("u0", 1), ("a stranger", 4)):  # the second has not been there for 19 weeks
        listed = model.recommend(Query(now=NOW, user_id=user, num_results=6))
        assert len({each.item_id for each in listed} & newest) >= least, user


def test_where_time_says_nothing_it_is_left_out(tmp_path: Path) -> None:
    fit(tmp_path, RECIPE, snapshot(interactions()), {}, "films/one")
    settings = load_facts(tmp_path / "films/one")["settings"]
    assert settings["trend"] == 0
    assert any("trend" in label for label in settings["compared"])


@pytest.mark.parametrize(
    ("recipe", "switch"),
    [(RECIPE, "recency_mask"), ("aws-user-personalization-v2", "apply_recency_bias")],
)
def test_who_wants_all_events_to_weigh_the_same_gets_no_trend(tmp_path: Path, recipe: str, switch: str) -> None:
    solution = {"solutionConfig": {"algorithmHyperParameters": {switch: "false"}}}
    fit(tmp_path, recipe, snapshot(fashions()), solution, "films/one")
    settings = load_facts(tmp_path / "films/one")["settings"]
    assert settings["trend"] == 0
    assert any("popularity up to" in label for label in settings["compared"])
    assert not any("trend" in label or "then" in label for label in settings["compared"])
