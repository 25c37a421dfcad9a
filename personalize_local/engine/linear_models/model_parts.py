"""What user models are put together from, and the scores of any of its combinations before weights are cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from personalize_local.engine.evaluation.ranked_lists import SEEN
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.sparse_matrices import Matrix, Sparse, strongest
from personalize_local.engine.linear_models.fitted_models import (
    SECOND_ROUND_ITEMS,
    FitSettings,
    Prior,
    history_weights,
    log_popularity,
    prior,
)
from personalize_local.engine.linear_models.popularity_over_time import PopularityOverTime, of_all_items
from personalize_local.engine.linear_models.weights import HeldWeights, MixedWeights, Weights, units_of


@dataclass(frozen=True)
class ModelParts:
    """What candidates are put together from, over the items with interactions."""

    popularity: Floats
    bases: Mapping[str, Weights]
    order: Matrix | None
    vectors: Floats | None
    over_time: PopularityOverTime | None = None

    @cached_property
    def units(self) -> Mapping[str, np.float32]:
        """The spread of each base, and that of the order among every cell and among those kept."""
        return units_of(self.bases, self.order)

    @cached_property
    def _lift(self) -> Floats:
        """The trend of each item in each period, float32 of shape (periods, items)."""
        nothing = np.zeros((1, len(self.popularity)), dtype=np.float32)
        return nothing if self.over_time is None else self.over_time.lift()

    def prior(self, settings: FitSettings, shares: Sparse | None, size: int) -> Prior:
        """Return what is added to the scaled scores of all items; `shares` as for `of_all_items`."""
        popular = prior(self.popularity, len(self.popularity)) * np.float32(settings.popularity * settings.scale)
        return self._trend(settings, shares, size).plus(of_all_items(popular, shares, size))

    def without_history(self, settings: FitSettings, shares: Sparse | None, size: int) -> Floats:
        """Return the logits of all items for a user who comes now for the first time, float32 of shape (size,)."""
        return log_popularity(self.popularity, size) + self._trend(settings, shares, size).now

    def _trend(self, settings: FitSettings, shares: Sparse | None, size: int) -> Prior:
        if not settings.trend or self.over_time is None:
            return Prior.at_all_times(np.zeros(size, dtype=np.float32))
        return Prior(np.float32(settings.trend) * of_all_items(self._lift, shares, size), self.over_time.edges)


@dataclass(frozen=True)
class Uncut:
    """A scorer of the items with interactions, before weights are cut to the strongest."""

    parts: ModelParts
    settings: FitSettings

    def without_prior(self, queries: Histories, start: int, stop: int, out: Floats) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with scaled scores that popularity has no part in."""
        replace(self, settings=replace(self.settings, popularity=0.0)).score(queries, start, stop, out)
        out *= np.float32(self.settings.scale)

    def score(self, queries: Histories, start: int, stop: int, out: Floats) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with scores."""
        past = queries.slice(start, stop)
        rows = past.matrix(len(self.parts.popularity), history_weights(past, self.settings))
        popular = np.float32(self.settings.popularity) * prior(self.parts.popularity, out.shape[1])
        out[:] = PartScores(self.parts, rows, popular).under(self.settings)
        if not self.settings.repeats:
            out[past.users(), past.items] -= SEEN


class PartScores:
    """The scores of some histories under any settings that weigh histories alike; products are made once."""

    def __init__(self, parts: ModelParts, rows: Sparse, popular: Floats) -> None:
        self._parts, self._rows, self._popular = parts, rows, popular
        self._order = None if parts.order is None else HeldWeights(parts.order)
        self._made: dict[int, Floats] = {}  # by the weights' identity
        self._plain: dict[tuple[str, int], Floats] = {}  # the scores of each base and round, popularity among them

    def under(self, settings: FitSettings) -> Floats:
        """Return float32 of shape (histories, items), which may be changed."""
        parts = self._parts
        if settings.rank and parts.vectors is not None:
            return np.asarray((self._rows @ parts.vectors) @ parts.vectors.T + self._popular, dtype=np.float32)
        plain = self._based(settings.base, settings.rounds)
        if not settings.blend or self._order is None:
            return plain.copy()
        share = np.float32(settings.blend) / parts.units["every" if parts.bases[settings.base].dense else "kept"]
        scores = self._product(self._order) * share
        scores += plain
        return scores

    def _based(self, name: str, rounds: int) -> Floats:
        if (name, rounds) not in self._plain:
            base, share = self._parts.bases[name], 1 / self._parts.units[name]
            scores = self._product(base) * share
            for _ in range(1, rounds):
                scores = base.of(strongest(scores, SECOND_ROUND_ITEMS)) * share
            self._plain[name, rounds] = scores + self._popular
        return self._plain[name, rounds]

    def _product(self, weights: Weights) -> Floats:
        if id(weights) not in self._made:
            if isinstance(weights, MixedWeights):
                self._made[id(weights)] = weights.summed(*map(self._product, weights.parts))
            else:
                self._made[id(weights)] = weights.of(self._rows)
        return self._made[id(weights)]
