"""The choice of a user model: values are those of the models themselves, chosen on everybody, without test users."""

from pathlib import Path

import numpy as np
import pytest

from personalize_local.engine.interactions.held_out import HeldOut, newest_held_out, sampled, split_users
from personalize_local.engine.interactions.model_files import load_facts
from personalize_local.engine.interactions.training_data import load_training_data
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, both_ways
from personalize_local.engine.linear_models.fitted_models import FitSettings, ItemToItem, Prior, prior
from personalize_local.engine.linear_models.item_weights import ACTIVITY, base_names, base_weights
from personalize_local.engine.linear_models.model_choice import (
    Candidate,
    ListGauge,
    candidates_of,
    compare_candidates,
    preferred,
)
from personalize_local.engine.linear_models.model_parts import ModelParts
from personalize_local.engine.linear_models.weights import blend
from personalize_local.engine.recipes.estimator import compare
from personalize_local.engine.training.solution_options import read_options
from tests.personalize_local.engine.planted import fit, interactions, snapshot
from tests.personalize_local.engine.recipes.test_hyperparameters import in_order

RECIPE = "aws-user-personalization"


@pytest.mark.parametrize(("n_users", "n_items"), [(240, 60), (60, 120)])
def test_a_candidate_is_worth_what_its_model_is(n_users: int, n_items: int) -> None:
    planted = interactions(n_users, n_items)
    from benchmarks.instruments.bars import spec  # noqa: PLC0415 - only this test makes no model

    data = load_training_data(snapshot(planted), read_options(spec(RECIPE)))
    held_out, size = newest_held_out(data.histories), len(data.catalogue)
    counted = CooccurrenceCounts(size, 20, ACTIVITY)
    counted.add(held_out.past)
    bases = {name: base_weights(counted, name) for name in base_names(counted)}
    parts = ModelParts(counted.popularity, bases, both_ways(counted.transitions, counted.popularity), None)
    settings = list(candidates_of(bases, 0, ordered=True))
    judged = compare_candidates(parts, settings, held_out, ListGauge(held_out, size, repeats=False))
    popular = prior(counted.popularity, size)
    upcoming = HeldOut(held_out.past, held_out.truth.first_events())
    for candidate in judged:
        weights = blend(bases[candidate.settings.base], parts.order, candidate.settings.blend, size)
        model = ItemToItem(weights, Prior.at_all_times(popular * np.float32(1e-3)), popular, candidate.settings)
        values = [compare(model, each, size) for each in (held_out, upcoming)]
        assert candidate.value == pytest.approx(np.mean(values), abs=0.01), candidate.label


def test_where_order_says_everything_it_is_chosen_and_the_model_tells_why(tmp_path: Path) -> None:
    fit(tmp_path, RECIPE, snapshot(in_order()), {}, "films/one")
    settings = load_facts(tmp_path / "films/one")["settings"]
    values = {label: value for label, value in settings["compared"].items() if label != "users"}
    assert settings["recency"]
    assert max(values.values()) > values["EASE"]
    assert settings["compared"]["users"] == 270  # everybody but the test users


def test_factors_are_taken_when_they_are_good_enough() -> None:
    best, fast = Candidate(FitSettings(), np.full(9, 0.2)), Candidate(FitSettings(rank=8), np.full(9, 0.195))
    assert preferred([fast, best], 0.95) is fast
    assert preferred([fast, best], 0.99) is best
    assert preferred([best], 0.95) is best


@pytest.mark.parametrize(("lead", "chosen"), [(0.9, "safe"), (1.1, "bold")])
def test_the_safer_base_is_taken_unless_another_is_better_by_a_standard_error(lead: float, chosen: str) -> None:
    noise = np.random.default_rng(0).normal(size=100)
    noise -= noise.mean()
    ahead = noise + lead * noise.std() / np.sqrt(len(noise))
    safe = Candidate(FitSettings(base="safe"), np.full(100, 0.5))
    bold = Candidate(FitSettings(base="bold", popularity=0.2), 0.5 + ahead)
    other_order = Candidate(FitSettings(base="safe", blend=1.0, recency=True), bold.values - 1e-6)
    assert preferred([other_order, safe, bold], 1.0).settings.base == chosen
    assert not preferred([other_order, safe, bold], 1.0).settings.recency


def test_with_nobody_to_compare_on_the_first_candidate_is_taken() -> None:
    safe, bold = Candidate(FitSettings(base="safe"), np.zeros(0)), Candidate(FitSettings(base="bold"), np.zeros(0))
    assert preferred([safe, bold], 1.0) is safe


def test_no_test_user_has_a_part_in_the_choice() -> None:
    lengths = np.full(100, 5)
    split = split_users(lengths, seed=2)
    assert not set(split.fit) & set(split.test)


def test_a_sample_is_taken_where_scoring_everybody_costs_too_much() -> None:
    from benchmarks.instruments.bars import spec  # noqa: PLC0415 - see above

    held_out = newest_held_out(load_training_data(snapshot(interactions(240)), read_options(spec(RECIPE))).histories)
    assert sampled(held_out, 10, seed=1) is held_out
    few = sampled(held_out, 10**9, seed=1)
    assert len(few.past) == len(few.truth) == 200
