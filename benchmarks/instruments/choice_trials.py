"""Measure what choices made with some of the users are worth: beside the best candidate, on the test itself."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.instruments.real_trials import RealTest, scores_of
from personalize_local.engine.interactions.held_out import HeldOut, newest_held_out
from personalize_local.engine.interactions.histories import Histories
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts, in_order
from personalize_local.engine.linear_models.fitted_models import FitSettings
from personalize_local.engine.linear_models.item_weights import ACTIVITY, base_names, bases
from personalize_local.engine.linear_models.model_choice import (
    ListGauge,
    ModelParts,
    Uncut,
    candidates_of,
    compare_candidates,
    described,
    preferred,
)
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
    """Choose with 80 % of the users, drawn so many times, and measure all candidates on the test."""
    everyone = newest_held_out(test.data.histories)
    parts, settings = _candidates(everyone.past, test.data.catalogue.warm)
    chosen = [_chosen(parts, settings, _drawn(everyone, seed)) for seed in range(draws)]
    parts, _ = _candidates(test.data.histories, test.data.catalogue.warm)
    gains = [
        test.gains(scores_of(Uncut(parts, each), test.held_out.past, test.data.catalogue.warm)) for each in settings
    ]
    worth = np.array([each.mean() for each in gains])
    best, worst = int(worth.argmax()), min(chosen, key=lambda number: float(worth[number]))
    ratio = float(worth[worst] / worth[best])
    differences = gains[worst] - ratio * gains[best]
    return WorstChoice(
        test.real.name,
        test.protocol,
        described(settings[worst]),
        described(settings[best]),
        ratio,
        float(differences.std(ddof=1) / np.sqrt(len(differences)) / worth[best]),
        float(worth[chosen].mean() / worth[best]),
    )


def _candidates(past: Histories, n_items: int) -> tuple[ModelParts, list[FitSettings]]:
    counted = CooccurrenceCounts(n_items, _WINDOW, ACTIVITY)
    counted.add(past)
    names = base_names(counted)
    parts = ModelParts(counted.popularity, bases(counted, names), in_order(counted), None)
    return parts, list(candidates_of(names, 0, ordered=True))


def _chosen(parts: ModelParts, settings: list[FitSettings], held_out: HeldOut) -> int:
    gauge = ListGauge(held_out, len(parts.popularity), repeats=False)
    best = preferred(compare_candidates(parts, settings, held_out, gauge), 1.0)
    return [described(each) for each in settings].index(best.label)


def _drawn(held_out: HeldOut, seed: int) -> HeldOut:
    users = np.random.default_rng(seed).permutation(len(held_out.past))[: int(_DRAWN * len(held_out.past))]
    return HeldOut(held_out.past.of(users), held_out.truth.of(users)).first(UserPersonalization.most_compared)
