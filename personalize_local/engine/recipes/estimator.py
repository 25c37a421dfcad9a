"""Say what every algorithm can do, and give item algorithms what they share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.evaluation.metrics import find_hits, item_metrics, ndcg, rounded
from personalize_local.engine.evaluation.ranked_lists import Scorer, ranked
from personalize_local.engine.evaluation.rewards import average_rewards
from personalize_local.engine.interactions.held_out import HeldOut, UserSplit, measurable, newest_held_out, sampled
from personalize_local.engine.interactions.histories import Histories
from personalize_local.engine.interactions.model_files import load_arrays, save_arrays
from personalize_local.engine.interactions.training_data import (
    TrainingData,
    item_rewards,
    load_training_data,
    trainable,
)
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.serving.served_models import ServedModel

_COMPARED_AT = 10
_FITTED = "fitted"


class Estimator(Protocol):
    """One algorithm. A training makes it from options and calls `read`, `fit`, `measure`, `refit` and `save`."""

    served_by: ClassVar[type[ServedModel]]  # what answers questions with it
    cold_user_metadata: ClassVar[bool]  # users without history are told by their metadata
    lists_are_drawn: ClassVar[bool]  # a picture of the model compares its lists with popularity

    def __init__(self, options: TrainingOptions) -> None: ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What `fit` decided, as JSON; kept by a training that starts from this one."""

    @classmethod
    def read(cls, snapshot: Snapshot, options: TrainingOptions) -> TrainingData:
        """Return what the algorithm learns from; too little of it is an EngineError in the service's words."""

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:
        """Return how well these options foretell users' newest events (NDCG@10, 0 to 1), and the settings chosen.

        Users of the test have no part in it.
        """

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:
        """Fit without the users it will be measured with, under the settings given or else chosen."""

    def measure(self, data: TrainingData, split: UserSplit) -> dict[str, float]:
        """Return the metrics under the keys of GetSolutionMetrics, of the model that `fit` left."""

    def refit(self, data: TrainingData, split: UserSplit) -> Self:
        """Fit to everybody, under the settings of `fit`."""

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with the scores of the queries `start` to `stop`."""

    def influenced(self, config: Mapping[str, Any]) -> Scorer:
        """Return the scorer under a campaign's or batch job's configuration."""

    def save(self, directory: Path) -> None:
        """Write what `load` reads into the model's folder."""

    @classmethod
    def load(cls, directory: Path, options: TrainingOptions, settings: Mapping[str, Any]) -> Self:
        """Return the estimator that `save` wrote."""


class Fitted(Scorer, Protocol):
    """A scorer that can be saved."""

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved, by name.

        Any of float32, int32, int64 and bool.
        """


class ItemEstimator(ABC):
    """An algorithm that scores items for histories: fitted to histories, measured by ranked lists."""

    served_by: ClassVar[type[ServedModel]]
    cold_user_metadata: ClassVar[bool] = False
    lists_are_drawn: ClassVar[bool] = True
    fitted: Fitted

    def __init__(self, options: TrainingOptions) -> None:
        self.options = options

    @property
    def settings(self) -> Mapping[str, Any]:
        """Nothing: only some algorithms have something to decide."""
        return {}

    @abstractmethod
    def fitted_to(self, data: TrainingData, histories: Histories) -> Fitted:
        """Return the algorithm fitted to some of the data's histories."""

    @classmethod
    @abstractmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> Fitted:
        """Return what `Fitted.arrays` and the settings describe.

        The arrays have the dtypes they were saved with (float32, int32, int64 or bool).
        """

    @classmethod
    def read(cls, snapshot: Snapshot, options: TrainingOptions) -> TrainingData:
        """Return the events that count, and the items."""
        return load_training_data(snapshot, options)

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:
        """Return the NDCG@10 of the newest events, fitted to what came before."""
        allowed = trainable(data.histories, self.options)
        held_out = newest_held_out(data.histories.of(split.fit[allowed[split.fit]]))
        model = self.fitted_to(data, held_out.past)
        n_items = len(data.catalogue)
        return compare(model, sampled(held_out, n_items, self.options.seed), n_items), {}

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:  # noqa: ARG002 - nothing to decide here
        """Fit to all but the test users."""
        self.fitted = self._fitted(data, split.fit)
        return self

    def refit(self, data: TrainingData, split: UserSplit) -> Self:  # noqa: ARG002 - everybody is everybody
        """Fit to everybody."""
        self.fitted = self._fitted(data, np.arange(len(data.histories)))
        return self

    def measure(self, data: TrainingData, split: UserSplit) -> dict[str, float]:
        """Return the metrics of lists for the test users, who were not fitted to."""
        n_items = len(data.catalogue)
        held_out = measurable(newest_held_out(data.histories.of(split.test)), n_items, self.options.seed)
        lists = ranked(self, held_out.past, n_items).items
        metrics = item_metrics(lists, held_out.truth, n_items, self.options.event_weights)
        rewards = item_rewards(data, self.options)
        if rewards is not None:  # with the sensitivity OFF, too: what the others are compared with
            metrics["average_rewards_at_k"] = average_rewards(lists, held_out.truth, np.asarray(rewards))
        return rounded(metrics)

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with the scores of the queries `start` to `stop`."""
        self.fitted.score(queries, start, stop, out)

    def influenced(self, config: Mapping[str, Any]) -> Scorer:  # noqa: ARG002 - most algorithms take no configuration
        """Return itself: only some algorithms take a configuration."""
        return self.fitted

    def save(self, directory: Path) -> None:
        """Write the fitted arrays."""
        save_arrays(directory / _FITTED, self.fitted.arrays())

    @classmethod
    def load(cls, directory: Path, options: TrainingOptions, settings: Mapping[str, Any]) -> Self:
        """Return the estimator that `save` wrote, its arrays mapped into memory."""
        estimator = cls(options)
        estimator.fitted = cls.restored(load_arrays(directory / _FITTED), settings)
        return estimator

    def _fitted(self, data: TrainingData, users: npt.NDArray[np.int64]) -> Fitted:
        allowed = trainable(data.histories, self.options)
        return self.fitted_to(data, data.histories.of(users[allowed[users]]))


def compare(scorer: Scorer, held_out: HeldOut, n_items: int) -> float:
    """Return the NDCG@10 by which candidates are compared."""
    lists = ranked(scorer, held_out.past, n_items, _COMPARED_AT).items
    hits, _ = find_hits(lists, held_out.truth, n_items)
    return ndcg(hits, np.diff(held_out.truth.unique(n_items).indptr), _COMPARED_AT)
