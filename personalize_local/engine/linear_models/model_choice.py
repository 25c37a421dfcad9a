"""Choose how a user model is put together, by how well each candidate foretells the newest events of every user.

All candidates are fitted to the same older events and compared on the same users, as many as can be afforded, and they
are few. Those that weigh histories alike share their scores: a blend is the sum of two products.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.metrics import find_hits, ndcg_of_lists
from personalize_local.engine.evaluation.top_k import best_of_block
from personalize_local.engine.interactions.held_out import HeldOut
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.linear_models.fitted_models import FitSettings, history_weights, prior
from personalize_local.engine.linear_models.model_parts import ModelParts, PartScores
from personalize_local.engine.processes.parallel_rows import in_parallel

Doubles = npt.NDArray[np.float64]

_ORDER: Final = 1.0  # how much the order of events says beside what is blind to it, in units of either spread
_LENGTH: Final = 10
_ROWS_AT_ONCE: Final = 64
_RANDOM_ITEMS: Final = 24
_STRENGTHS: Final = (
    1e-3,
    0.1,
    0.3,
    1.0,
    3.0,
)  # of popularity in ranking, in units of the scores' spread; it orders ties


@dataclass(frozen=True)
class Candidate:
    """Settings, and how well they did (0 to 1) for each user compared with; float64 of shape (users,)."""

    settings: FitSettings
    values: Doubles

    @property
    def value(self) -> float:
        """The mean over users."""
        return float(self.values.mean()) if len(self.values) else 0.0

    @property
    def label(self) -> str:
        """The settings in words."""
        return described(self.settings)


def described(settings: FitSettings) -> str:
    """Return settings in words, as a model's report shows them."""
    words = "PureSVD" if settings.rank else settings.base
    if settings.rounds > 1:
        words += f" in {settings.rounds} rounds"
    if settings.blend:
        words += f" + {settings.blend:g} x order"
    if settings.recency:
        words += ", recent events first"
    is_popular = settings.popularity > FitSettings.popularity
    if settings.trend:
        words += f" + {settings.trend:g} x {'popularity then' if is_popular else 'trend'}"
    elif is_popular:
        words += f" + popularity up to {settings.popularity * settings.scale:.2g}"
    return words


def candidates_of(bases: Iterable[str], rank: int, *, ordered: bool) -> Iterator[FitSettings]:
    """Yield what can be chosen: each base (factors too, of a rank) plain and, if `ordered`, by recency and order.

    Factors never have an order beside them.
    """
    for recency in (False, True)[: 1 + ordered]:
        if rank:
            yield FitSettings(rank=rank, recency=recency)
        yield from (FitSettings(base=base, blend=_ORDER * recency, recency=recency) for base in bases)


class Gauge(Protocol):
    """What candidates are compared by."""

    def take(self, candidate: int, start: int, block: Floats) -> None:
        """Look at a candidate's scores of all items for the users from `start` on.

        `block` is float32 of shape (users, items), and may be changed.
        """

    def judged(self, settings: list[FitSettings]) -> list[Candidate]:
        """Return the candidates with their values, and with what the gauge itself has tuned."""


class ListGauge:
    """NDCG of the first ten items that the user does not have: of all that came afterwards, and of what was next."""

    def __init__(self, held_out: HeldOut, n_items: int, *, repeats: bool) -> None:
        self._held_out, self._n_items, self._repeats = held_out, n_items, repeats
        self._lists: dict[int, npt.NDArray[np.int32]] = {}

    def take(self, candidate: int, start: int, block: Floats) -> None:
        """Keep the best ten; `block` is float32 of shape (users, items)."""
        past = self._held_out.past.slice(start, start + len(block))
        if not self._repeats:
            block[past.users(), past.items] = -np.inf
        empty = np.full((len(self._held_out.past), min(_LENGTH, self._n_items)), -1, dtype=np.int32)
        self._lists.setdefault(candidate, empty)[start : start + len(block)] = best_of_block(block, _LENGTH)

    def judged(self, settings: list[FitSettings]) -> list[Candidate]:
        """Return the candidates with their NDCG@10."""
        truths = (self._held_out.truth, self._held_out.truth.first_events())
        found = [replace(each, repeats=self._repeats) for each in settings]
        if not len(truths[0]):
            return [Candidate(each, np.zeros(0)) for each in found]
        values = [np.mean([self._ndcg(number, truth) for truth in truths], axis=0) for number in range(len(found))]
        return [Candidate(each, value) for each, value in zip(found, values, strict=True)]

    def _ndcg(self, candidate: int, truth: Histories) -> Doubles:
        relevant = np.diff(truth.unique(self._n_items).indptr)
        return ndcg_of_lists(find_hits(self._lists[candidate], truth, self._n_items)[0], relevant, _LENGTH)


class RankingGauge:
    """The share of random items, which the user does not have, that rank below what the user did next."""

    def __init__(self, held_out: HeldOut, popularity: Floats, *, repeats: bool) -> None:
        self._held_out, self._repeats = held_out, repeats
        self._popular = prior(popularity, len(popularity))
        truth = held_out.truth
        self._others = np.random.default_rng(0).integers(0, len(popularity), (len(truth.items), _RANDOM_ITEMS))
        owned = np.unique(held_out.past.users().astype(np.int64) * len(popularity) + held_out.past.items)
        self._usable = ~np.isin(truth.users()[:, None].astype(np.int64) * len(popularity) + self._others, owned)
        self._gaps: dict[int, Floats] = {}

    def take(self, candidate: int, start: int, block: Floats) -> None:
        """Keep how far the next item lies above the others; `block` is float32 of shape (users, items)."""
        offsets = self._held_out.truth.offsets
        rows = slice(offsets[start], offsets[start + len(block)])
        users = self._held_out.truth.slice(start, start + len(block)).users()[:, None]
        taken = self._held_out.truth.items[rows, None]
        gaps = self._gaps.setdefault(candidate, np.zeros(self._others.shape, dtype=np.float32))
        gaps[rows] = block[users, taken] - block[users, self._others[rows]]

    def judged(self, settings: list[FitSettings]) -> list[Candidate]:
        """Return the candidates, each with the weight of popularity that does best beside it."""
        return [self._tuned(each, self._gaps.get(number)) for number, each in enumerate(settings)]

    def _tuned(self, settings: FitSettings, gaps: Floats | None) -> Candidate:
        settings = replace(settings, repeats=self._repeats)
        if gaps is None or not self._usable.any():
            return Candidate(settings, np.zeros(0))
        favour = self._popular[self._held_out.truth.items[:, None]] - self._popular[self._others]
        unit = float(gaps[self._usable].std()) or 1.0
        values = [self._shares(gaps + np.float32(strength * unit) * favour) for strength in _STRENGTHS]
        best = int(np.argmax([each.mean() for each in values]))
        return Candidate(replace(settings, popularity=_STRENGTHS[best] * unit), values[best])

    def _shares(self, gaps: Floats) -> Doubles:
        """Return each user's share: who did much next must not decide alone."""
        won = ((gaps > 0) + 0.5 * (gaps == 0)) * self._usable
        users, n_users = self._held_out.truth.users(), len(self._held_out.truth)
        compared = np.bincount(users, self._usable.sum(axis=1), n_users)
        return np.asarray(np.bincount(users, won.sum(axis=1), n_users) / np.maximum(compared, 1))


def compare_candidates(
    parts: ModelParts, settings: list[FitSettings], held_out: HeldOut, gauge: Gauge
) -> list[Candidate]:
    """Return the candidates with their values."""
    tie_break = np.float32(1e-3) * prior(parts.popularity, len(parts.popularity))

    def work(first: int, last: int) -> None:
        for start in range(first, last, _ROWS_AT_ONCE):
            past = held_out.past.slice(start, min(start + _ROWS_AT_ONCE, last))
            for recency in {each.recency for each in settings}:
                rows = past.matrix(len(parts.popularity), history_weights(past, FitSettings(recency=recency)))
                scores = PartScores(parts, rows, tie_break)
                for number, each in enumerate(settings):
                    if each.recency == recency:
                        gauge.take(number, start, scores.under(each))

    in_parallel(work, len(held_out.past), _ROWS_AT_ONCE)
    return gauge.judged(settings)


def best(candidates: list[Candidate]) -> Candidate:
    """Return the candidate that did best, the first of equal ones."""
    return max(candidates, key=lambda each: each.value)


def preferred(candidates: list[Candidate], fast_share: float) -> Candidate:
    """Return the best candidate, or the best of factors when they reach that share of it: they are far faster.

    Of those that differ from the best in their base alone, the first within one standard error of it is taken: chance
    decides little so, and bases come with the safest first (Breiman, Friedman, Olshen and Stone 1984).
    """
    first = best(candidates)
    fast = [each for each in candidates if each.settings.rank and each.value >= fast_share * first.value]
    if fast:
        return best(fast)
    return next(each for each in candidates if _stands_for(each, first))


def _stands_for(candidate: Candidate, first: Candidate) -> bool:
    """Tell whether a candidate differs from the first in its base alone, and is within one standard error of it."""
    free: dict[str, Any] = {"base": "", "popularity": 0.0}  # each base has the popularity that does best beside it
    behind = first.values - candidate.values
    is_near = len(behind) == 0 or float(behind.mean()) <= float(behind.std()) / np.sqrt(len(behind))
    return is_near and replace(candidate.settings, **free) == replace(first.settings, **free)
