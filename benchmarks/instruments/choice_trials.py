"""Measure what choices made with some of the users are worth: beside the best candidate, on the test itself."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from benchmarks.instruments.real_trials import RealTest, scores_of
from personalize_local.engine.evaluation.ranked_lists import fit_scale
from personalize_local.engine.interactions.held_out import HeldOut, newest_held_out
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, in_order
from personalize_local.engine.linear_models.fitted_models import FitSettings
from personalize_local.engine.linear_models.item_weights import ACTIVITY, base_names, bases
from personalize_local.engine.linear_models.model_choice import (
    ListGauge,
    best,
    candidates_of,
    compare_candidates,
    described,
    preferred,
)
from personalize_local.engine.linear_models.model_parts import ModelParts, Uncut
from personalize_local.engine.linear_models.popularity_choice import weigh_popularity
from personalize_local.engine.linear_models.popularity_over_time import PopularityOverTime
from personalize_local.engine.recipes.user_personalization import UserPersonalization

_WINDOW: Final = 20
_DRAWN: Final = 0.8  # of the users


@dataclass(frozen=True)
class WorstChoice:
    """The choice that is worth least on the test among those of several draws of users, and the best candidate."""

    real_set: str
    protocol: str
    chosen: str
    best: str
    ratio: float
    error: float  # the standard error of the ratio, from the paired differences
    mean: float  # of the ratios of all draws


def worst_choice(test: RealTest, draws: int) -> WorstChoice:
    """Choose with 80 % of the users, drawn so many times, and measure what was chosen from on the test."""
    everyone, size = newest_held_out(test.data.histories), test.data.catalogue.warm
    parts, candidates = _candidates(everyone.past, test)
    choices = [_choice(parts, candidates, _drawn(everyone, seed)) for seed in range(draws)]
    considered = {described(each): each for choice in choices for each in (*candidates, *choice.considered)}
    parts, _ = _candidates(test.data.histories, test)
    past = test.held_out.past
    gains = {name: test.gains(scores_of(_Scaled(parts, each), past, size)) for name, each in considered.items()}
    worth = {name: float(each.mean()) for name, each in gains.items()}
    chosen = [described(choice.chosen) for choice in choices]
    first, worst = max(worth, key=worth.__getitem__), min(chosen, key=worth.__getitem__)
    ratio = worth[worst] / worth[first]
    differences = gains[worst] - ratio * gains[first]
    error = float(differences.std(ddof=1) / np.sqrt(len(differences)) / worth[first])
    mean = float(np.mean([worth[each] for each in chosen]) / worth[first])
    return WorstChoice(test.real.name, test.protocol, worst, first, ratio, error, mean)


@dataclass(frozen=True)
class _Choice:
    chosen: FitSettings
    considered: list[FitSettings]  # with each strength of popularity beside the candidate chosen


@dataclass(frozen=True)
class _Scaled:
    """A scorer whose scores are the model's before weights are cut."""

    parts: ModelParts
    settings: FitSettings

    def score(self, queries: Histories, start: int, stop: int, out: Floats) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with logits."""
        Uncut(self.parts, self.settings).without_prior(queries, start, stop, out)
        self.parts.prior(self.settings, None, out.shape[1]).add_to(out, queries.slice(start, stop))


def _candidates(past: Histories, test: RealTest) -> tuple[ModelParts, list[FitSettings]]:
    size = test.data.catalogue.warm
    counted = CooccurrenceCounts(size, _WINDOW, ACTIVITY)
    counted.add(past)
    over_time = PopularityOverTime(test.data.histories.times, size)
    over_time.add(past)
    names = base_names(counted)
    parts = ModelParts(counted.popularity, bases(counted, names), in_order(counted), None, over_time)
    return parts, list(candidates_of(names, 0, ordered=True))


def _choice(parts: ModelParts, candidates: list[FitSettings], held_out: HeldOut) -> _Choice:
    size = len(parts.popularity)
    gauge = ListGauge(held_out, size, repeats=False)
    base = preferred(compare_candidates(parts, candidates, held_out, gauge), 1.0).settings
    scaled = replace(base, scale=fit_scale(Uncut(parts, base), held_out, size))
    tried = weigh_popularity(parts, scaled, held_out, ListGauge(held_out, size, repeats=False), trend=True)
    return _Choice(best(tried).settings, [each.settings for each in tried])


def _drawn(held_out: HeldOut, seed: int) -> HeldOut:
    users = np.random.default_rng(seed).permutation(len(held_out.past))[: int(_DRAWN * len(held_out.past))]
    return HeldOut(held_out.past.of(users), held_out.truth.of(users)).first(UserPersonalization.most_compared)
