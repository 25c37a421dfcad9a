"""How each family of item recipes is trained: on which users, with which counts, and how it is read back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from emulator.engine.evaluation.ranked_lists import Scorer
from emulator.engine.interactions.cooccurrence import CooccurrenceCounts
from emulator.engine.interactions.held_out import UserSplit, newest_held_out
from emulator.engine.interactions.histories import Histories
from emulator.engine.interactions.training_data import TrainingData
from emulator.engine.interactions.training_options import TrainingOptions
from emulator.engine.recipes.factors import Factors
from emulator.engine.recipes.item_to_item import ItemToItem
from emulator.engine.recipes.popularity_count import FixedList, fit_popularity
from emulator.engine.recipes.related_items import RelatedItems
from emulator.engine.recipes.semantic_items import SemanticItems
from emulator.engine.recipes.similar_items import WINDOW, fit_similar_items
from emulator.engine.recipes.sims import fit_sims
from emulator.engine.recipes.trending_now import fit_trending, interval_seconds
from emulator.engine.recipes.user_models import Learned, UserLearner, compare, trainable


class FittedModel(Scorer, Protocol):
    """A scorer that can be saved."""

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays."""


Fit = Callable[[TrainingData, TrainingOptions, Histories], FittedModel]


@dataclass(frozen=True)
class Training:
    """One set of hyperparameters to learn: the same two steps for every family."""

    data: TrainingData
    options: TrainingOptions
    split: UserSplit

    def trial(self) -> tuple[float, Mapping[str, Any]]:
        """Return how well the hyperparameters do on users set aside for choosing (NDCG@10), and what was chosen."""
        if self.options.recipe.family in _CHOOSING:
            return UserLearner(self.data, self.options, self.split).trial()
        model = self._fit(self.split.fit)
        held_out = newest_held_out(self.data.histories.of(self.split.choose))
        return compare(model, held_out, len(self.data.catalogue)), {}

    def learn(self, settings: Mapping[str, Any] | None = None) -> Learned:
        """Return the model to measure and the model to keep."""
        if self.options.recipe.family in _CHOOSING:
            return UserLearner(self.data, self.options, self.split).learn(settings)
        others = np.concatenate([self.split.fit, self.split.choose])
        return Learned(self._fit(others), self._fit(np.arange(len(self.data.histories))), {})

    def _fit(self, users: npt.NDArray[np.int64]) -> FittedModel:
        histories = self.data.histories
        allowed = trainable(histories, self.options)
        return _FITS[self.options.recipe.family](self.data, self.options, histories.of(users[allowed[users]]))


def _popularity(data: TrainingData, _options: TrainingOptions, histories: Histories) -> FittedModel:
    return fit_popularity(histories, len(data.catalogue))


def _trending(data: TrainingData, options: TrainingOptions, histories: Histories) -> FittedModel:
    return fit_trending(histories, len(data.catalogue), interval_seconds(options))


def _sims(data: TrainingData, options: TrainingOptions, histories: Histories) -> FittedModel:
    counted = CooccurrenceCounts(data.catalogue.warm, 0)
    counted.add(histories)
    return fit_sims(counted, len(data.catalogue), options)


def _similar_items(data: TrainingData, options: TrainingOptions, histories: Histories) -> FittedModel:
    counted = CooccurrenceCounts(data.catalogue.warm, WINDOW, count_shared=False)
    counted.add(histories)
    return fit_similar_items(counted, data.catalogue, options)


def _load_ranking(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> FittedModel:
    """Return a model that ranks what the user already has like the rest: a list to rank may hold it."""
    return _load_users_model(arrays, {**settings, "repeats": True})


def _load_users_model(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> FittedModel:
    return Factors.load(arrays, settings) if settings["rank"] else ItemToItem.load(arrays, settings)


_CHOOSING = frozenset({"user_personalization", "ranking"})
_FITS: Mapping[str, Fit] = {
    "popularity": _popularity,
    "trending": _trending,
    "sims": _sims,
    "similar_items": _similar_items,
}
LOADERS: Mapping[str, Callable[[Mapping[str, npt.NDArray[Any]], Mapping[str, Any]], FittedModel]] = {
    "user_personalization": _load_users_model,
    "ranking": _load_ranking,
    "popularity": FixedList.load,
    "trending": FixedList.load,
    "sims": RelatedItems.load,
    "similar_items": RelatedItems.load,
    "semantic": SemanticItems.load,
}
