"""Fit Next-Best-Action: how likely a user takes each action, by who took it so far and what those users otherwise do.

Every action has a logistic regression over the users' vectors (from their item interactions), pulled towards the one
fitted to all actions together, so that an action few people have seen starts from what is true of actions in general.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.evaluation.metrics import CUTS, area_under_curve, coverage, find_hits, ndcg, rounded
from personalize_local.engine.evaluation.ranked_lists import Scorer
from personalize_local.engine.interactions.action_examples import ActionExamples, load_examples
from personalize_local.engine.interactions.held_out import UserSplit
from personalize_local.engine.interactions.histories import Floats, Histories, Ints, arrange, find
from personalize_local.engine.interactions.model_files import load_arrays, save_arrays
from personalize_local.engine.interactions.training_data import TrainingData, load_training_data
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.linear_models.item_vectors import item_vectors
from personalize_local.engine.recipes.recipe import ACTION_METRICS
from personalize_local.engine.serving.served_models import ActionLists

DIMENSIONS = 16
_STEPS = 8
_RIDGE = 0.1
_TOWARDS_ALL = 1.0  # pull of one action's weights towards those of all actions
_LARGEST_LOGIT = 30.0

_RECOMMENDED = 5  # the default length of GetActionRecommendations
_TEST_SHARE = 10

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ActionWeights:
    """A weight per action and dimension of the users' vectors; the last dimension is always 1."""

    weights: Floats  # actions x (DIMENSIONS + 1)

    def chances(self, users: npt.NDArray[np.floating[Any]]) -> Doubles:
        """Return users x actions: the probability that the user takes the action.

        `users` is of shape (users, DIMENSIONS + 1), the answer float64 of shape (users, actions).
        """
        return sigmoid(users @ self.weights.T)

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        Returns float32.
        """
        return {"weights": self.weights}


def fit_actions(users: Floats, actions: Ints, taken: npt.NDArray[np.bool_], n_actions: int) -> ActionWeights:
    """Fit to examples: row i says that the user with vector users[i] took action actions[i], or did not.

    `users` is float32 of shape (examples, DIMENSIONS + 1), `actions` int32 and `taken` bool of shape (examples,).
    """
    features, truth = users.astype(np.float64), taken.astype(np.float64)
    start = np.zeros(features.shape[1])
    shared = logistic(features, truth, start, _RIDGE)
    order = np.argsort(actions, kind="stable")
    edges = np.searchsorted(actions[order], np.arange(n_actions + 1))
    weights = [
        logistic(features[rows], truth[rows], shared, _TOWARDS_ALL)
        for rows in (order[first:last] for first, last in pairwise(edges))
    ]
    return ActionWeights(np.array(weights, dtype=np.float32).reshape(n_actions, features.shape[1]))


def logistic(features: Doubles, truth: Doubles, towards: Doubles, ridge: float) -> Doubles:
    """Return the weights of a ridge logistic regression that starts from, and is pulled to, given weights (Newton).

    All are float64: `features` of shape (examples, dimensions), `truth` (examples,), `towards` and the answer
    (dimensions,).
    """
    weights = towards.copy()
    if len(truth) == 0:
        return weights
    pull = ridge * np.eye(features.shape[1])
    for _ in range(_STEPS):
        chances = sigmoid(features @ weights)
        slope = features.T @ (chances - truth) + pull @ (weights - towards)
        curve = (features * (chances * (1 - chances))[:, None]).T @ features + pull
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def sigmoid(logits: npt.NDArray[np.floating[Any]]) -> Doubles:
    """Return the logistic function.

    Returns float64 of the shape of `logits`.
    """
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT))), dtype=np.float64)


def user_vectors(profiles: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return the users' item profiles at length one, with a last dimension of 1.

    `profiles` is of shape (users, DIMENSIONS), the answer float32 of shape (users, DIMENSIONS + 1).
    """
    lengths = np.linalg.norm(profiles, axis=1, keepdims=True)
    unit = np.divide(profiles, lengths, out=np.zeros_like(profiles), where=lengths > 0)
    return np.concatenate([unit, np.ones((len(unit), 1))], axis=1).astype(np.float32)


def profiles(histories: Histories, users: npt.NDArray[np.integer], vectors: Floats) -> Floats:
    """Return the users' vectors; user -1 has done nothing yet.

    `users` are integers (int32 or int64), `vectors` float32 of shape (items, DIMENSIONS); the answer is float32 of
    shape (users, DIMENSIONS + 1).
    """
    return user_vectors(histories.of(users).unique(len(vectors)) @ vectors)


def _fit(examples: ActionExamples, users: Floats, rows: npt.NDArray[np.bool_]) -> ActionWeights:
    return fit_actions(users[examples.users[rows]], examples.met[rows], examples.taken[rows], len(examples.action_ids))


def measure_actions(
    examples: ActionExamples, users: Floats, test: npt.NDArray[np.bool_], model: ActionWeights
) -> dict[str, float]:
    """Return the metrics on the examples of the users marked True in `test`.

    `users` is float32 of shape (users, DIMENSIONS + 1), `test` bool of shape (users,).
    """
    held = test[examples.users]
    chances = model.chances(users[test])
    row = (np.cumsum(test) - 1)[examples.users[held]]
    took = examples.taken[held]
    nothing = np.zeros(int(took.sum()), dtype=np.int64)
    weights = np.ones(len(nothing), dtype=np.float32)
    truth = arrange(row[took].astype(np.int32), examples.met[held][took], nothing, weights, len(chances))
    area = area_under_curve(chances[row, examples.met[held]], took)
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


class NextBestAction:
    """Fits how likely users take actions; a tenth of the users with examples is held out to measure with."""

    served_by = ActionLists
    cold_user_metadata = False
    lists_are_drawn = False
    settings: Mapping[str, Any] = {}
    weights: ActionWeights
    vectors: Floats  # items x DIMENSIONS
    actions: pl.DataFrame
    scorable: bool

    def __init__(self, options: TrainingOptions) -> None:
        self.options = options

    @classmethod
    def read(cls, snapshot: Snapshot, options: TrainingOptions) -> TrainingData:
        """Return the item interactions, by which users are described."""
        return load_training_data(snapshot, options)

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:  # noqa: ARG002
        """Return nothing to compare by: there is nothing to tune."""
        return 0.0, {}

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:  # noqa: ARG002 - users with examples are split, not users with items
        """Fit without a tenth of the users.

        Raises EngineError without a snapshot to read actions from.
        """
        if data.snapshot is None:
            raise EngineError("Actions can be fitted to a snapshot only")
        self._examples = load_examples(data.snapshot, self.options.number("action_optimization_period"))
        self.actions, self.scorable = self._examples.actions, self._examples.scorable
        counted = CooccurrenceCounts(data.catalogue.warm, 0)
        counted.add(data.histories)
        self.vectors = np.zeros((len(data.catalogue), DIMENSIONS), dtype=np.float32)
        found = item_vectors(counted, DIMENSIONS)
        self.vectors[: len(found), : found.shape[1]] = found
        self._users = profiles(data.histories, find(data.user_ids, self._examples.user_ids), self.vectors)
        self._test = np.zeros(len(self._users), dtype=np.bool_)
        self._test[np.random.default_rng(self.options.seed).permutation(len(self._users))[::_TEST_SHARE]] = True
        if self.scorable:
            self.weights = _fit(self._examples, self._users, ~self._test[self._examples.users])
        return self

    def measure(self, data: TrainingData, split: UserSplit) -> dict[str, float]:  # noqa: ARG002 - see `fit`
        """Return the metrics on the users held out; all 0 when nothing can be scored."""
        if not self.scorable:
            return dict.fromkeys(ACTION_METRICS, 0.0)
        return measure_actions(self._examples, self._users, self._test, self.weights)

    def refit(self, data: TrainingData, split: UserSplit) -> Self:  # noqa: ARG002 - see `fit`
        """Fit to everybody."""
        self.weights = _fit(self._examples, self._users, np.ones(len(self._examples.met), dtype=np.bool_))
        return self

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.floating[Any]]) -> None:
        """Fill `out`, float32 or float64 of shape (stop - start, actions), with the chances of each action."""
        users = profiles(queries, np.arange(start, stop), self.vectors)
        out[:] = self.weights.chances(users)

    def influenced(self, config: Mapping[str, Any]) -> Scorer:  # noqa: ARG002 - actions take no configuration
        """Return itself."""
        return self

    def save(self, directory: Path) -> None:
        """Write the weights, the items' vectors and the actions."""
        save_arrays(directory / "fitted", {**self.weights.arrays(), "vectors": self.vectors})
        self.actions.write_parquet(directory / "actions.parquet")
        (directory / "actions.json").write_text(json.dumps({"scorable": self.scorable}))

    @classmethod
    def load(cls, directory: Path, options: TrainingOptions, settings: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """Return the estimator that `save` wrote."""
        estimator = cls(options)
        arrays = load_arrays(directory / "fitted")
        estimator.weights = ActionWeights(np.asarray(arrays["weights"]))
        estimator.vectors = np.asarray(arrays["vectors"])
        estimator.actions = pl.read_parquet(directory / "actions.parquet")
        estimator.scorable = json.loads((directory / "actions.json").read_text())["scorable"]
        return estimator
