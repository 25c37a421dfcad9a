"""Training and measuring Next-Best-Action."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.evaluation.metrics import CUTS, coverage, find_hits, ndcg, rounded
from emulator.engine.interactions.action_examples import ActionExamples, load_examples
from emulator.engine.interactions.cooccurrence import CooccurrenceCounts
from emulator.engine.interactions.histories import Floats, Histories, arrange, find
from emulator.engine.interactions.item_vectors import item_vectors
from emulator.engine.interactions.model_files import save_arrays, save_data
from emulator.engine.interactions.training_data import load_training_data
from emulator.engine.interactions.training_options import TrainingOptions
from emulator.engine.recipes.action_weights import (
    DIMENSIONS,
    ActionWeights,
    area_under_curve,
    fit_actions,
    user_vectors,
)
from emulator.engine.recipes.recipe_table import ACTION_METRICS

_RECOMMENDED = 5  # the default length of GetActionRecommendations
_TEST_SHARE = 10


def train_actions(options: TrainingOptions, snapshot: Snapshot, directory: Path) -> Mapping[str, float]:
    """Fit the actions, write the model, and return its metrics."""
    data = load_training_data(snapshot, options)
    examples = load_examples(snapshot, options.number("action_optimization_period"))
    counted = CooccurrenceCounts(data.catalogue.warm, 0)
    counted.add(data.histories)
    vectors = np.zeros((len(data.catalogue), DIMENSIONS), dtype=np.float32)
    found = item_vectors(counted.shared, DIMENSIONS)
    vectors[: len(found), : found.shape[1]] = found
    users = profiles(data.histories, find(data.user_ids, examples.user_ids), vectors)
    metrics = measure_actions(examples, users, options.seed)
    model = _fit(examples, users, np.ones(len(examples.met), dtype=np.bool_))
    save_arrays(directory / "fitted", {**model.arrays(), "vectors": vectors})
    save_data(directory, data)
    examples.actions.write_parquet(directory / "actions.parquet")
    (directory / "actions.json").write_text(json.dumps({"scorable": examples.scorable}))
    return metrics


def profiles(histories: Histories, users: npt.NDArray[np.integer], vectors: Floats) -> Floats:
    """Return the users' vectors; user -1 has done nothing yet."""
    return user_vectors(histories.of(users).unique(len(vectors)) @ vectors)


def _fit(examples: ActionExamples, users: Floats, rows: npt.NDArray[np.bool_]) -> ActionWeights:
    return fit_actions(users[examples.users[rows]], examples.met[rows], examples.taken[rows], len(examples.action_ids))


def measure_actions(examples: ActionExamples, users: Floats, seed: int) -> dict[str, float]:
    """Return the metrics of a model fitted without a tenth of the users, on those; all 0 when nothing can be scored."""
    if not examples.scorable:
        return dict.fromkeys(ACTION_METRICS, 0.0)
    test = np.zeros(len(users), dtype=np.bool_)
    test[np.random.default_rng(seed).permutation(len(users))[::_TEST_SHARE]] = True
    held = test[examples.users]
    model = _fit(examples, users, ~held)
    chances = model.chances(users[test])
    row = (np.cumsum(test) - 1)[examples.users[held]]
    truth = arrange(
        row[examples.taken[held]].astype(np.int32),
        examples.met[held][examples.taken[held]],
        np.zeros(int(examples.taken[held].sum()), dtype=np.int64),
        np.ones(int(examples.taken[held].sum()), dtype=np.float32),
        len(chances),
    )
    area = area_under_curve(chances[row, examples.met[held]], examples.taken[held])
    return rounded({"area_under_the_curve": area, **_list_metrics(chances, truth, len(examples.action_ids))})


def _list_metrics(chances: npt.NDArray[np.float64], truth: Histories, n_actions: int) -> dict[str, float]:
    lists = np.argsort(-chances, axis=1, kind="stable")[:, : max(CUTS)].astype(np.int32)
    hits, _ = find_hits(lists, truth, n_actions)
    relevant = np.diff(truth.unique(n_actions).indptr)
    took = truth.unique(n_actions).toarray() > 0
    listed = np.zeros_like(took)
    np.put_along_axis(listed, lists[:, :_RECOMMENDED].astype(np.int64), values=True, axis=1)
    right = (listed & took).sum(axis=0)
    shown, wanted = listed.sum(axis=0), took.sum(axis=0)
    return {
        "coverage": coverage(lists[:, :_RECOMMENDED], n_actions),
        "precision": float((right[shown > 0] / shown[shown > 0]).mean()) if shown.any() else 0.0,
        "recall": float((right[wanted > 0] / wanted[wanted > 0]).mean()) if wanted.any() else 0.0,
        **{f"normalized_discounted_cumulative_gain_at_{cut}": ndcg(hits, relevant, cut) for cut in CUTS},
    }
