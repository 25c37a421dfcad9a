"""Fit User-Personalization and Personalized-Ranking: choose on users set aside, measure, fit on everybody."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.ranked_lists import fit_scale, repeat_share
from personalize_local.engine.interactions.held_out import HeldOut, UserSplit, newest_held_out, sampled
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.item_metadata import shares_of_alike, with_cold_items
from personalize_local.engine.interactions.training_data import TrainingData, item_rewards, trainable
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, in_order
from personalize_local.engine.linear_models.fitted_models import Factors, FitSettings, ItemToItem
from personalize_local.engine.linear_models.item_vectors import item_vectors
from personalize_local.engine.linear_models.item_weights import (
    ACTIVITY,
    WALKS,
    base_names,
    base_weights,
    bases,
    memory_limits,
)
from personalize_local.engine.linear_models.model_choice import (
    Candidate,
    Gauge,
    ListGauge,
    RankingGauge,
    best,
    candidates_of,
    compare_candidates,
    preferred,
)
from personalize_local.engine.linear_models.model_parts import ModelParts, Uncut
from personalize_local.engine.linear_models.popularity_choice import weigh_popularity
from personalize_local.engine.linear_models.popularity_over_time import PopularityOverTime, of_all_items
from personalize_local.engine.linear_models.weights import blend
from personalize_local.engine.recipes.estimator import ItemEstimator, compare
from personalize_local.engine.serving.served_models import RerankedLists, ServedModel, UserLists

_REPEATS_FROM = 0.05  # share of held-out events on items the user already had
_REWARD_LOGITS: Mapping[str, float] = {"LOW": 0.25, "MEDIUM": 0.5, "HIGH": 1.0}
_RANK = 64
_MANY_USERS = 100_000  # from here on lists are made in batches so large that speed counts, and factors may be chosen
_GOOD_ENOUGH = 0.95  # of the best candidate, for factors to be taken because they are several times faster

UserModel = ItemToItem | Factors


class UserPersonalization(ItemEstimator):
    """EASE or factors over a weighted history; whether order and recency help is decided on users set aside."""

    served_by: ClassVar[type[ServedModel]] = UserLists
    cold_user_metadata = True
    most_compared: ClassVar[int] = 2_500  # users

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
        """Return how well these hyperparameters do, cut to the items kept, and what was chosen."""
        self._prepare(data)
        held_out, parts, settings = self._choose(split)
        asked = np.unique(held_out.past.items).astype(np.int64)
        return compare(self._model(parts, settings, asked), held_out, self._size), settings.to_json()

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:
        """Fit with the given settings, or choose them first; the counts are kept for `refit` to add to."""
        self._prepare(data)
        self._settings = FitSettings(**settings) if settings else self._choose(split)[2]
        self._counted = CooccurrenceCounts(self._warm, self._window if self._settings.blend else 0, ACTIVITY)
        self._over_time = self._periods() if self._settings.trend else None
        self._add(split.fit)
        measured = data.histories.of(split.test).items
        asked = np.unique(measured).astype(np.int64)  # what it is measured with needs no more
        self.fitted = self._assemble(self._counted, self._over_time, self._settings, asked)
        return self

    def refit(self, data: TrainingData, split: UserSplit) -> Self:  # noqa: ARG002 - `fit` has seen the data
        """Count the test users too."""
        self._add(split.test)
        self.fitted = self._assemble(self._counted, self._over_time, self._settings)
        return self

    def fitted_to(self, data: TrainingData, histories: Histories) -> UserModel:
        """Fit to some histories under the settings decided so far, or the plain ones."""
        self._prepare(data)
        counted = CooccurrenceCounts(self._warm, self._window, ACTIVITY)
        counted.add(histories)
        over_time = self._periods(histories) if self._settings.trend else None
        return self._assemble(counted, over_time, self._settings)

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

    def _choose(self, split: UserSplit) -> tuple[HeldOut, ModelParts, FitSettings]:
        """Choose on the newest events of all users but those of the test; everything is fitted to what came before."""
        users = split.fit[self._allowed[split.fit]]
        everyone = newest_held_out(self._data.histories.of(users))
        counted = CooccurrenceCounts(self._warm, self._window, ACTIVITY)
        counted.add(everyone.past)
        held_out = sampled(everyone, self._warm, self.options.seed).first(self.most_compared)
        names = base_names(counted)
        rank = self._rank if len(self._data.histories) >= _MANY_USERS else 0
        parts = ModelParts(
            counted.popularity,
            bases(counted, names),
            in_order(counted) if self._window else None,
            item_vectors(counted, rank) if rank else None,
            self._periods(everyone.past),
        )
        repeats = repeat_share(held_out, self._size) > _REPEATS_FROM
        candidates = list(self._candidates(names, rank))
        judged = compare_candidates(parts, candidates, held_out, self._gauge(held_out, parts, repeats=repeats))
        chosen = preferred(judged, _GOOD_ENOUGH)
        compared = {**_values(judged), "users": len(held_out.past)}
        settings = replace(chosen.settings, compared=compared, memory=memory_limits(counted))
        settings = replace(settings, scale=fit_scale(Uncut(parts, settings), held_out, self._warm))
        return held_out, parts, self._with_popularity(settings, parts, held_out)

    def _with_popularity(self, settings: FitSettings, parts: ModelParts, held_out: HeldOut) -> FitSettings:
        """Return the settings with as much of popularity as lists gain by."""
        gauge = self._gauge(held_out, parts, repeats=settings.repeats)
        tried = weigh_popularity(parts, settings, held_out, gauge, trend=bool(self._window))
        return replace(best(tried).settings, compared={**settings.compared, **_values(tried)})

    def _periods(self, histories: Histories | None = None) -> PopularityOverTime:
        found = PopularityOverTime(self._data.histories.times, self._warm)
        if histories is not None:
            found.add(histories)
        return found

    def _candidates(self, names: list[str], rank: int) -> Iterator[FitSettings]:
        """Yield what is chosen from: bases of these names, and factors of a rank that is not 0."""
        return candidates_of(names, rank, ordered=bool(self._window))

    def _gauge(self, held_out: HeldOut, _parts: ModelParts, *, repeats: bool) -> Gauge:
        """Return what candidates are compared by."""
        return ListGauge(held_out, self._warm, repeats=repeats)

    def _assemble(
        self,
        counted: CooccurrenceCounts,
        over_time: PopularityOverTime | None,
        settings: FitSettings,
        asked: npt.NDArray[np.int64] | None = None,
    ) -> UserModel:
        """Compute what the choice is put together from, and nothing else; `asked` as for `_model`."""
        parts = ModelParts(
            counted.popularity,
            {} if settings.rank else {settings.base: base_weights(counted, settings.base)},
            in_order(counted) if self._window and settings.blend else None,
            item_vectors(counted, self._rank) if settings.rank else None,
            over_time,
        )
        return self._model(parts, settings, asked)

    def _model(self, parts: ModelParts, settings: FitSettings, asked: npt.NDArray[np.int64] | None = None) -> UserModel:
        """Return the model, which may know nothing but what the items asked about, int64 and ascending, say."""
        rewards = self._rewards()
        added = parts.prior(settings, self._shares, self._size).plus(rewards)
        popular = parts.without_history(settings, self._shares, self._size) + rewards
        if settings.rank:
            return Factors(self._all_vectors(parts.vectors), added, popular, settings)
        weights = blend(parts.bases[settings.base], parts.order, settings.blend, self._keep, asked)
        return ItemToItem(with_cold_items(weights, self._shares, self._size), added, popular, settings)

    def _all_vectors(self, vectors: Floats | None) -> Floats:
        """Return the vectors of all items: one without interactions lies between those it is like."""
        known = np.zeros((self._warm, 1), dtype=np.float32) if vectors is None else vectors
        return np.ascontiguousarray(of_all_items(known.T, self._shares, self._size).T)

    def _rewards(self) -> Floats:
        logits = _REWARD_LOGITS.get(self.options.reward_sensitivity, 0.0)
        values = item_rewards(self._data, self.options)
        if values is None or not logits:
            return np.zeros(self._size, dtype=np.float32)
        spread = float(values.std()) or 1.0
        return np.asarray(logits * (values - values.mean()) / spread, dtype=np.float32)

    def _add(self, users: npt.NDArray[np.int64]) -> None:
        added = self._data.histories.of(users[self._allowed[users]])
        self._counted.add(added)
        if self._over_time is not None:
            self._over_time.add(added)


def _values(candidates: list[Candidate]) -> dict[str, float]:
    return {each.label: round(each.value, 4) for each in candidates}


class PersonalizedRanking(UserPersonalization):
    """User-Personalization for lists that are given: popularity speaks for items no history speaks about."""

    served_by = RerankedLists
    most_compared = 800  # each is judged by dozens of pairs

    def _candidates(self, names: list[str], rank: int) -> Iterator[FitSettings]:
        """Yield walks of a second round, too, where items are many: a list holds what neighbours say nothing about."""
        yield from super()._candidates(names, rank)
        if WALKS in names:
            for recency in (False, True)[: 1 + bool(self._window)]:
                yield FitSettings(base=WALKS, rounds=2, recency=recency)

    def _gauge(self, held_out: HeldOut, parts: ModelParts, *, repeats: bool) -> Gauge:
        """Return what lists are compared by that are given: popularity is weighed, too."""
        return RankingGauge(held_out, parts.popularity, repeats=repeats)

    def _with_popularity(self, settings: FitSettings, _parts: ModelParts, _held_out: HeldOut) -> FitSettings:
        """Return the settings as they are: the gauge has weighed popularity for each candidate."""
        return settings

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> UserModel:
        """Return a model that ranks what the user already has like the rest: a list to rank may hold it.

        The arrays have the dtypes they were saved with (float32, int32, int64).
        """
        return super().restored(arrays, {**settings, "repeats": True})
