"""Next-Best-Action: how likely a user takes each action, by who took it so far and what those users otherwise do.

Every action has a logistic regression over the users' vectors (from their item interactions), pulled towards the one
fitted to all actions together, so that an action few people have seen starts from what is true of actions in general.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from emulator.engine.interactions.histories import Floats, Ints

DIMENSIONS = 16
_STEPS = 8
_RIDGE = 0.1
_TOWARDS_ALL = 1.0  # pull of one action's weights towards those of all actions
_LARGEST_LOGIT = 30.0

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ActionWeights:
    """A weight per action and dimension of the users' vectors; the last dimension is always 1."""

    weights: Floats  # actions x (DIMENSIONS + 1)

    def chances(self, users: npt.NDArray[np.floating[Any]]) -> Doubles:
        """Return users x actions: the probability that the user takes the action."""
        return sigmoid(users @ self.weights.T)

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays."""
        return {"weights": self.weights}


def fit_actions(users: Floats, actions: Ints, taken: npt.NDArray[np.bool_], n_actions: int) -> ActionWeights:
    """Fit to examples: row i says that the user with vector users[i] took action actions[i], or did not."""
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
    """Return the weights of a ridge logistic regression that starts from, and is pulled to, given weights (Newton)."""
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
    """Return the logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT))), dtype=np.float64)


def user_vectors(profiles: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return the users' item profiles at length one, with a last dimension of 1."""
    lengths = np.linalg.norm(profiles, axis=1, keepdims=True)
    unit = np.divide(profiles, lengths, out=np.zeros_like(profiles), where=lengths > 0)
    return np.concatenate([unit, np.ones((len(unit), 1))], axis=1).astype(np.float32)


def area_under_curve(chances: Doubles, taken: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: the share of pairs of a taken and a not taken one in the right order."""
    positive, negative = int(taken.sum()), int((~taken).sum())
    if positive == 0 or negative == 0:
        return 0.0
    _values, place, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # ties share the mean of their ranks
    return float((ranks[taken].sum() - positive * (positive + 1) / 2) / (positive * negative))
