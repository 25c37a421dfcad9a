"""Fit User-Personalization and Personalized-Ranking: choose on users set aside, measure, fit on everybody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.ranked_lists import fit_popularity_weight, fit_scale, repeat_share
from personalize_local.engine.interactions.cooccurrence import CooccurrenceCounts, Matrix, both_ways
from personalize_local.engine.interactions.held_out import HeldOut, UserSplit, newest_held_out
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.item_metadata import shares_of_alike, with_cold_items
from personalize_local.engine.interactions.item_vectors import item_vectors
from personalize_local.engine.interactions.training_data import TrainingData, item_rewards, trainable
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.recipes.estimator import ItemEstimator, compare
from personalize_local.engine.recipes.factors import Factors
from personalize_local.engine.recipes.item_to_item import (
    FitSettings,
    ItemToItem,
    base_matrix,
    blend,
    log_popularity,
    prior,
)
from personalize_local.engine.serving.served_models import RerankedLists, ServedModel, UserLists

_REPEATS_FROM = 0.05  # share of held-out events on items the user already had
_STRENGTHS = (0.0, 0.1, 0.3, 1.0, 3.0)  # of popularity in ranking, in units of the scores' spread
_REWARD_LOGITS: Mapping[str, float] = {"LOW": 0.25, "MEDIUM": 0.5, "HIGH": 1.0}
_RANK = 64
_MANY_USERS = 100_000  # from here on lists are made in batches so large that speed counts
_GOOD_ENOUGH = 0.95  # of the best candidate, for factors to be taken because they are several times faster

UserModel = ItemToItem | Factors


@dataclass(frozen=True)
class _Matrices:
    popularity: Floats
    base: Matrix | None
    order: Matrix | None
    vectors: Floats | None


class UserPersonalization(ItemEstimator):
    """EASE or factors over a weighted history; whether order and recency help is decided on users set aside."""

    served_by: ClassVar[type[ServedModel]] = UserLists
    cold_user_metadata = True

    def __init__(self, options: TrainingOptions) -> None:
        super().__init__(options)
        self._keep = 2 * int(options.number("hidden_dimension")) if "hidden_dimension" in options.values else 300
        self._window = self._longest_window()
        self._rank = min(_RANK, self._keep // 2)
        self._settings = FitSettings()

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the data decided."""
        return self._settings.to_json()

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:
        """Return how well these hyperparameters do on the users set aside for choosing, and what was chosen there."""
        self._prepare(data)
        value, settings = self._choose(split, self._count([split.fit], self._window))
        return value, settings.to_json()

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:
        """Fit with the given settings, or choose them first; the counts are kept for `refit` to add to."""
        self._prepare(data)
        counted = self._count([split.fit], self._window)
        self._settings = FitSettings(**settings) if settings else self._choose(split, counted)[1]
        counted.window = self._window if self._settings.blend else 0
        self._add(counted, split.choose)
        self._counted = counted
        self.fitted = self._assemble(counted, self._settings)
        return self

    def refit(self, data: TrainingData, split: UserSplit) -> Self:  # noqa: ARG002 - `fit` has seen the data
        """Count the test users too."""
        self._add(self._counted, split.test)
        self.fitted = self._assemble(self._counted, self._settings)
        return self

    def fitted_to(self, data: TrainingData, histories: Histories) -> UserModel:
        """Fit to some histories under the settings decided so far, or the plain ones."""
        self._prepare(data)
        counted = CooccurrenceCounts(self._warm, self._window)
        counted.add(histories)
        return self._assemble(counted, self._settings)

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> UserModel:
        """Return factors or the item-to-item matrix, whichever was chosen.

        The arrays have the dtypes they were saved with (float32, int32, int64).
        """
        return Factors.load(arrays, settings) if settings["rank"] else ItemToItem.load(arrays, settings)

    def _prepare(self, data: TrainingData) -> None:
        self._data = data
        self._allowed = trainable(data.histories, self.options)
        self._warm, self._size = data.catalogue.warm, len(data.catalogue)
        self._shares = shares_of_alike(data.catalogue, self.options)

    def _longest_window(self) -> int:
        values = self.options.values
        ordered = self.options.flag("recency_mask" if "recency_mask" in values else "apply_recency_bias")
        return int(self.options.number("bptt")) if ordered and "bptt" in values else 20 * ordered

    def _candidates(self) -> Iterable[FitSettings]:
        yield FitSettings(rank=self._rank)
        yield FitSettings()
        if self._window:
            yield FitSettings(rank=self._rank, recency=True)
            yield FitSettings(recency=True)
            yield FitSettings(blend=1.0, recency=True)
            yield FitSettings(blend=2.0, recency=True)

    def _choose(self, split: UserSplit, counted: CooccurrenceCounts) -> tuple[float, FitSettings]:
        held_out = newest_held_out(self._data.histories.of(split.choose))
        repeats = repeat_share(held_out, self._size) > _REPEATS_FROM
        matrices = self._matrices(counted)
        candidates = [replace(candidate, repeats=repeats) for candidate in self._candidates()]
        values = [compare(self._model(matrices, candidate), held_out, self._size) for candidate in candidates]
        best = self._preferred(candidates, values)
        chosen = self._model(matrices, candidates[best])
        settings = self._tuned_popularity(chosen, prior(counted.popularity, self._size), held_out)
        if settings != chosen.settings:
            chosen = self._model(matrices, settings)
        scale = fit_scale(chosen, held_out, self._size)
        return values[best], replace(settings, scale=scale)

    def _tuned_popularity(self, chosen: UserModel, popular: Floats, held_out: HeldOut) -> FitSettings:  # noqa: ARG002
        """Return the settings as they are: full lists need no help from popularity."""
        return chosen.settings

    def _preferred(self, candidates: list[FitSettings], values: list[float]) -> int:
        best = int(np.argmax(values))
        if len(self._data.histories) < _MANY_USERS:
            return best
        fast = [position for position, candidate in enumerate(candidates) if candidate.rank]
        fastest = max(fast, key=lambda position: values[position])
        return fastest if values[fastest] >= _GOOD_ENOUGH * values[best] else best

    def _assemble(self, counted: CooccurrenceCounts, settings: FitSettings) -> UserModel:
        return self._model(self._matrices(counted, settings), settings)

    def _matrices(self, counted: CooccurrenceCounts, settings: FitSettings | None = None) -> _Matrices:
        """Compute what the choice is put together from, or what all candidates are, and nothing else."""
        order = self._window and (settings is None or settings.blend)
        return _Matrices(
            counted.popularity,
            base_matrix(counted) if settings is None or not settings.rank else None,
            both_ways(counted.transitions, counted.popularity) if order else None,
            item_vectors(counted.shared, self._rank) if settings is None or settings.rank else None,
        )

    def _model(self, matrices: _Matrices, settings: FitSettings) -> UserModel:
        rewards = self._rewards()
        scores = prior(matrices.popularity, self._size) * np.float32(settings.popularity * settings.scale) + rewards
        popular = log_popularity(matrices.popularity, self._size) + rewards
        if matrices.base is None or settings.rank:
            return Factors(self._all_vectors(matrices.vectors), scores, popular, settings)
        weights = blend(matrices.base, matrices.order, settings.blend, self._keep)
        return ItemToItem(with_cold_items(weights, self._shares, self._size), scores, popular, settings)

    def _all_vectors(self, vectors: Floats | None) -> Floats:
        """Return the vectors of all items: one without interactions lies between those it is like."""
        known = np.zeros((self._warm, 1), dtype=np.float32) if vectors is None else vectors
        if self._shares is None:
            return np.pad(known, ((0, self._size - self._warm), (0, 0)))
        return np.concatenate([known, self._shares @ known]).astype(np.float32)

    def _rewards(self) -> Floats:
        logits = _REWARD_LOGITS.get(self.options.reward_sensitivity, 0.0)
        values = item_rewards(self._data, self.options)
        if values is None or not logits:
            return np.zeros(self._size, dtype=np.float32)
        spread = float(values.std()) or 1.0
        return np.asarray(logits * (values - values.mean()) / spread, dtype=np.float32)

    def _count(self, groups: list[npt.NDArray[np.int64]], window: int) -> CooccurrenceCounts:
        counted = CooccurrenceCounts(self._warm, window)
        for users in groups:
            self._add(counted, users)
        return counted

    def _add(self, counted: CooccurrenceCounts, users: npt.NDArray[np.int64]) -> None:
        counted.add(self._data.histories.of(users[self._allowed[users]]))


class PersonalizedRanking(UserPersonalization):
    """User-Personalization for lists that are given: popularity speaks for items no history speaks about."""

    served_by = RerankedLists

    def _tuned_popularity(self, chosen: UserModel, popular: Floats, held_out: HeldOut) -> FitSettings:
        """Return the settings with the weight of popularity that ranks held-out items best."""
        return replace(chosen.settings, popularity=fit_popularity_weight(chosen, popular, held_out, _STRENGTHS))

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> UserModel:
        """Return a model that ranks what the user already has like the rest: a list to rank may hold it.

        The arrays have the dtypes they were saved with (float32, int32, int64).
        """
        return super().restored(arrays, {**settings, "repeats": True})
