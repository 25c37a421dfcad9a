"""Item-to-item weights in two rounds: what they reach, and that a candidate is the model it becomes."""

from pathlib import Path

import numpy as np
import pytest

from personalize_local.engine.interactions.histories import Histories, arrange
from personalize_local.engine.interactions.model_files import load_facts
from personalize_local.engine.linear_models import cooccurrence
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.linear_models.fitted_models import FitSettings, ItemToItem, Prior
from personalize_local.engine.linear_models.item_weights import ACTIVITY, base_weights
from personalize_local.engine.linear_models.model_parts import ModelParts, Uncut
from personalize_local.engine.linear_models.weights import blend
from tests.personalize_local.engine.planted import fit, interactions, snapshot

WALKS = "RP3beta"


def scored(past: Histories, n_items: int, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of the candidate and of the model, whose weights are all kept."""
    counted = CooccurrenceCounts(n_items, 0, ACTIVITY)
    counted.add(past)
    parts = ModelParts(counted.popularity, {WALKS: base_weights(counted, WALKS)}, None, None)
    settings = FitSettings(base=WALKS, rounds=rounds, popularity=0.0, repeats=True)
    nothing = np.zeros(n_items, dtype=np.float32)
    model = ItemToItem(blend(parts.bases[WALKS], None, 0.0, n_items), Prior.at_all_times(nothing), nothing, settings)
    answers = []
    for scorer in (Uncut(parts, settings), model):
        scores = np.empty((len(past), n_items), dtype=np.float32)
        scorer.score(past, 0, len(past), scores)
        answers.append(scores)
    return answers[0], answers[1]


def histories(users: list[int], items: list[int], n_users: int) -> Histories:
    count = len(users)
    return arrange(
        np.array(users, dtype="i4"), np.array(items, dtype="i4"), np.arange(count), np.ones(count, dtype="f4"), n_users
    )


@pytest.mark.parametrize("limit", [10_000, 5], ids=["dense", "sparse"])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_candidate_scores_as_the_model_it_becomes(monkeypatch: pytest.MonkeyPatch, limit: int, rounds: int) -> None:
    monkeypatch.setattr(cooccurrence, "DENSE_LIMIT", limit)
    generator = np.random.default_rng(4)
    past = histories(generator.integers(0, 90, 600).tolist(), generator.integers(0, 40, 600).tolist(), 90)
    candidate, model = scored(past, 40, rounds)
    assert candidate == pytest.approx(model, rel=1e-3, abs=1e-3)


def test_a_second_round_reaches_what_shares_no_user() -> None:
    chain = histories([0, 0, 1, 1, 2], [0, 1, 1, 2, 0], 3)  # the last user has the first item, and nobody else's third
    assert scored(chain, 3, 1)[1][2, 2] == 0
    assert scored(chain, 3, 2)[1][2, 2] > 0


def test_where_items_are_many_ranking_may_take_a_second_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cooccurrence, "DENSE_LIMIT", 50)
    for name in ("personalized-ranking", "user-personalization"):
        fit(tmp_path, f"aws-{name}", snapshot(interactions()), {}, name)
        compared = load_facts(tmp_path / name)["settings"]["compared"]
        assert any("in 2 rounds" in label for label in compared) == (name == "personalized-ranking")
