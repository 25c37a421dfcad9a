"""Learning User-Personalization and Personalized-Ranking: fit, choose on users set aside, measure, fit on everybody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from emulator.engine.evaluation.metrics import find_hits, ndcg
from emulator.engine.evaluation.ranked_lists import Scorer, fit_popularity_weight, fit_scale, ranked, repeat_share
from emulator.engine.interactions.cooccurrence import CooccurrenceCounts, Matrix, both_ways
from emulator.engine.interactions.held_out import HeldOut, UserSplit, newest_held_out
from emulator.engine.interactions.histories import Floats, Histories
from emulator.engine.interactions.item_metadata import shares_of_alike, with_cold_items
from emulator.engine.interactions.item_vectors import item_vectors
from emulator.engine.interactions.training_data import TrainingData
from emulator.engine.interactions.training_options import TrainingOptions
from emulator.engine.recipes.factors import Factors
from emulator.engine.recipes.item_to_item import FitSettings, ItemToItem, base_matrix, blend, log_popularity, prior

_REPEATS_FROM = 0.05  # share of held-out events on items the user already had
_STRENGTHS = (0.0, 0.1, 0.3, 1.0, 3.0)  # of popularity in ranking, in units of the scores' spread
_REWARD_LOGITS: Mapping[str, float] = {"LOW": 0.25, "MEDIUM": 0.5, "HIGH": 1.0}
_COMPARED_AT = 10
_RANK = 64
_MANY_USERS = 100_000  # from here on lists are made in batches so large that speed counts
_GOOD_ENOUGH = 0.95  # of the best candidate, for factors to be taken because they are several times faster


@dataclass(frozen=True)
class Learned:
    """A model fitted to the users it is not measured with, and the one fitted to all that is kept."""

    measured: Scorer
    final: Any  # a Scorer with arrays()
    settings: Mapping[str, Any]


def compare(scorer: Scorer, held_out: HeldOut, n_items: int) -> float:
    """Return the NDCG@10 by which candidates are compared."""
    lists = ranked(scorer, held_out.past, n_items, _COMPARED_AT).items
    hits, _ = find_hits(lists, held_out.truth, n_items)
    return ndcg(hits, np.diff(held_out.truth.unique(n_items).indptr), _COMPARED_AT)


def trainable(histories: Histories, options: TrainingOptions) -> npt.NDArray[np.bool_]:
    """Return which users' histories are neither too short nor too long by the recipe's percentiles."""
    lengths = histories.lengths
    if "min_user_history_length_percentile" not in options.values or len(lengths) == 0:
        return np.ones(len(lengths), dtype=np.bool_)
    low, high = np.quantile(
        lengths,
        [options.number("min_user_history_length_percentile"), options.number("max_user_history_length_percentile")],
        method="higher",
    )
    return np.asarray((lengths >= low) & (lengths <= high))


UserModel = ItemToItem | Factors


@dataclass(frozen=True)
class _Parts:
    popularity: Floats
    base: Matrix | None
    order: Matrix | None
    vectors: Floats | None


class UserLearner:
    """The steps of learning one set of hyperparameters."""

    def __init__(self, data: TrainingData, options: TrainingOptions, split: UserSplit) -> None:
        self._data, self._options, self._split = data, options, split
        self._allowed = trainable(data.histories, options)
        self._warm = data.catalogue.warm
        self._size = len(data.catalogue)
        self._keep = 2 * int(options.number("hidden_dimension")) if "hidden_dimension" in options.values else 300
        self._window = self._longest_window()
        self._rank = min(_RANK, self._keep // 2)
        self._shares = shares_of_alike(data.catalogue, options)

    def trial(self) -> tuple[float, Mapping[str, Any]]:
        """Return how well these hyperparameters do on the users set aside for choosing, and what was chosen there."""
        value, settings = self._choose(self._count([self._split.fit], self._window))
        return value, settings.to_json()

    def learn(self, settings: Mapping[str, Any] | None = None) -> Learned:
        """Fit with the given settings, or choose first."""
        split = self._split
        counted = self._count([split.fit], self._window)
        chosen = FitSettings(**settings) if settings else self._choose(counted)[1]
        counted.window = self._window if chosen.blend else 0
        self._add(counted, split.choose)
        measured = self._assemble(counted, chosen)
        self._add(counted, split.test)
        return Learned(measured, self._assemble(counted, chosen), chosen.to_json())

    def _longest_window(self) -> int:
        values = self._options.values
        ordered = self._options.flag("recency_mask" if "recency_mask" in values else "apply_recency_bias")
        return int(self._options.number("bptt")) if ordered and "bptt" in values else 20 * ordered

    def _candidates(self) -> Iterable[FitSettings]:
        yield FitSettings(rank=self._rank)
        yield FitSettings()
        if self._window:
            yield FitSettings(rank=self._rank, recency=True)
            yield FitSettings(recency=True)
            yield FitSettings(blend=1.0, recency=True)
            yield FitSettings(blend=2.0, recency=True)

    def _choose(self, counted: CooccurrenceCounts) -> tuple[float, FitSettings]:
        held_out = newest_held_out(self._data.histories.of(self._split.choose))
        repeats = repeat_share(held_out, self._size) > _REPEATS_FROM
        parts = self._parts(counted)
        models = [self._model(parts, replace(candidate, repeats=repeats)) for candidate in self._candidates()]
        values = [compare(model, held_out, self._size) for model in models]
        best = self._preferred(models, values)
        chosen = models[best]
        if self._options.recipe.family == "ranking":
            popular = prior(counted.popularity, self._size)
            strength = fit_popularity_weight(chosen, popular, held_out, _STRENGTHS)
            chosen = self._model(parts, replace(chosen.settings, popularity=strength))
        scale = fit_scale(chosen, held_out, self._size)
        return values[best], replace(chosen.settings, scale=scale)

    def _preferred(self, models: list[UserModel], values: list[float]) -> int:
        best = int(np.argmax(values))
        if len(self._data.histories) < _MANY_USERS:
            return best
        fast = [place for place, model in enumerate(models) if model.settings.rank]
        fastest = max(fast, key=lambda place: values[place])
        return fastest if values[fastest] >= _GOOD_ENOUGH * values[best] else best

    def _assemble(self, counted: CooccurrenceCounts, settings: FitSettings) -> UserModel:
        return self._model(self._parts(counted, settings), settings)

    def _parts(self, counted: CooccurrenceCounts, settings: FitSettings | None = None) -> _Parts:
        """Compute what the choice is put together from, or what all candidates are, and nothing else."""
        order = self._window and (settings is None or settings.blend)
        return _Parts(
            counted.popularity,
            base_matrix(counted) if settings is None or not settings.rank else None,
            both_ways(counted.transitions, counted.popularity) if order else None,
            item_vectors(counted.shared, self._rank) if settings is None or settings.rank else None,
        )

    def _model(self, parts: _Parts, settings: FitSettings) -> UserModel:
        rewards = self._rewards()
        scores = prior(parts.popularity, self._size) * np.float32(settings.popularity * settings.scale) + rewards
        popular = log_popularity(parts.popularity, self._size) + rewards
        if parts.base is None or settings.rank:
            return Factors(self._all_vectors(parts.vectors), scores, popular, settings)
        weights = blend(parts.base, parts.order, settings.blend, self._keep)
        return ItemToItem(with_cold_items(weights, self._shares, self._size), scores, popular, settings)

    def _all_vectors(self, vectors: Floats | None) -> Floats:
        """Return the vectors of all items: one without interactions lies between those it is like."""
        known = np.zeros((self._warm, 1), dtype=np.float32) if vectors is None else vectors
        if self._shares is None:
            return np.pad(known, ((0, self._size - self._warm), (0, 0)))
        return np.concatenate([known, self._shares @ known]).astype(np.float32)

    def _rewards(self) -> Floats:
        logits = _REWARD_LOGITS.get(self._options.reward_sensitivity, 0.0)
        values = rewards(self._data, self._options)
        if values is None or not logits:
            return np.zeros(self._size, dtype=np.float32)
        spread = float(values.std()) or 1.0
        return np.asarray(logits * (values - values.mean()) / spread, dtype=np.float32)

    def _count(self, parts: list[npt.NDArray[np.int64]], window: int) -> CooccurrenceCounts:
        counted = CooccurrenceCounts(self._warm, window)
        for users in parts:
            self._add(counted, users)
        return counted

    def _add(self, counted: CooccurrenceCounts, users: npt.NDArray[np.int64]) -> None:
        counted.add(self._data.histories.of(users[self._allowed[users]]))


def rewards(data: TrainingData, options: TrainingOptions) -> Floats | None:
    """Return the numeric column the solution optimises for, 0 where an item has none."""
    metadata = data.catalogue.metadata
    if options.reward_column is None or metadata is None or options.reward_column not in metadata.columns:
        return None
    return metadata[options.reward_column].cast(float, strict=False).fill_null(0.0).to_numpy().astype(np.float32)
