"""Score the items listed beside each item, as SIMS and Similar-Items leave them, and popular ones for the rest.

How they weigh what users share is chosen: by how well the newest known item of users foretells what they do next.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from personalize_local.engine.interactions.held_out import HeldOut, UserSplit, newest_held_out, sampled
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.sparse_matrices import Matrix, Sparse, from_rows, strongest
from personalize_local.engine.interactions.training_data import TrainingData, trainable
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.linear_models.fitted_models import FitSettings
from personalize_local.engine.linear_models.model_choice import ListGauge
from personalize_local.engine.recipes.estimator import Fitted, ItemEstimator
from personalize_local.engine.serving.served_models import RelatedLists

_BELOW_NEIGHBOURS = np.float32(1e-6)
_ACTIVITIES: Final = (0.5, 1.0)
_DISCOUNTS: Final = (0.3, 0.2, 0.1, 0.4, 0.5)
_ORDERS: Final = (0.25, 0.5, 1.0)
_MOST_ASKED: Final = 1_000  # users who are asked about their newest item, to choose
_AT_ONCE: Final = 256
_MIXED_NEIGHBOURS: Final = 300  # of either kind


@dataclass(frozen=True)
class PairSettings:
    """What the data decided about pairs of items; saved with the model, and kept by trainingMode UPDATE."""

    activity: float = _ACTIVITIES[0]  # power of the length of a history, by which its user says less about a pair
    discount: float = _DISCOUNTS[0]  # power of the listed item's popularity
    order: float = 0.0  # weight of the order of events beside shared users
    compared: Mapping[str, float] = field(default_factory=dict, hash=False)  # the value of each, and how many users

    @property
    def label(self) -> str:
        """The settings in words."""
        words = f"shared / activity^{self.activity:g} / popularity^{self.discount:g}"
        return words + (f" + {self.order:g} x order" if self.order else "")


@dataclass(frozen=True)
class RelatedItems:
    """Neighbours of each item; a question is a history whose newest event names the item asked about."""

    neighbours: Sparse
    popular: Floats

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the likeness to the item of the question; popularity decides where there is none.

        `out` is float32 of shape (stop - start, items).
        """
        rows = np.arange(start, stop)
        some = np.flatnonzero(queries.lengths[start:stop] > 0)
        items = queries.items[queries.offsets[1:][rows[some]] - 1]
        out[:] = self.popular * _BELOW_NEIGHBOURS
        if len(some):
            out[some] += self.neighbours[items].toarray()
            out[some, items] = -np.inf  # an item is not listed beside itself

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        Returns float32, int32 and int64.
        """
        near = self.neighbours
        return {"data": near.data, "indices": near.indices, "indptr": near.indptr, "popular": self.popular}


class RelatedItemsEstimator(ItemEstimator):
    """An algorithm that finds neighbours of each item."""

    served_by = RelatedLists
    window: ClassVar[int] = 0  # events ahead that count as following; 0 leaves order out

    def __init__(self, options: TrainingOptions) -> None:
        super().__init__(options)
        self._settings = PairSettings()

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the data decided."""
        return asdict(self._settings)

    @abstractmethod
    def pair_rows(self, counted: CooccurrenceCounts, items: npt.NDArray[np.int64]) -> "PairRows":
        """Return what can be said about pairs of these items, int64 of shape (asked,), with all others."""

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:
        """Return the NDCG@10 of the newest events under the settings that do best, and these."""
        self._settings = self._chosen(data, split)
        return super().trial(data, split)[0], self.settings

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:
        """Fit to all but the test users, with the given settings, or choose them first."""
        self._settings = PairSettings(**settings) if settings else self._chosen(data, split)
        return super().fit(data, split)

    def _chosen(self, data: TrainingData, split: UserSplit) -> PairSettings:
        """Choose on the newest events of users who are not of the test, fitted to what came before."""
        allowed = trainable(data.histories, self.options)
        everyone = newest_held_out(data.histories.of(split.fit[allowed[split.fit]]))
        held_out = sampled(everyone, data.catalogue.warm, self.options.seed).first(_MOST_ASKED)
        counted = CooccurrenceCounts(data.catalogue.warm, self.window)
        counted.add(everyone.past)
        return best_settings(lambda items: self.pair_rows(counted, items), held_out, counted.popularity)

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], _settings: Mapping[str, Any]) -> Fitted:
        """Return the neighbours.

        The arrays have the names and dtypes (float32, int32, int64) of `RelatedItems.arrays`.
        """
        near = from_rows(arrays["data"], arrays["indices"], arrays["indptr"], len(arrays["popular"]))
        return RelatedItems(near, np.asarray(arrays["popular"]))


@dataclass(frozen=True)
class PairRows:
    """What can be said about pairs of some items (rows) with all others (columns), in parts that settings weigh."""

    shared: Callable[[float], Sparse]  # evidence of users, by the power of their activity
    popularity: Floats  # that a discount is the power of
    order: Sparse | None  # how closely items follow one another

    def candidates(self) -> Iterator[tuple[PairSettings, Sparse]]:
        """Yield what the order of events is not needed for, float32 of shape (asked, items)."""
        for activity in _ACTIVITIES:
            evidence = self.shared(activity)
            for discount in _DISCOUNTS:
                yield PairSettings(activity, discount), discounted(evidence, self.popularity, discount)

    def ordered(self, best: PairSettings) -> Iterator[tuple[PairSettings, Sparse]]:
        """Yield the best of these with the order of events beside it, float32 of shape (asked, items)."""
        if self.order is not None:
            together = discounted(self.shared(best.activity), self.popularity, best.discount)
            for weight in _ORDERS:
                yield replace(best, order=weight), with_order(together, self.order, weight)


def best_settings(
    rows_of: Callable[[npt.NDArray[np.int64]], PairRows], held_out: HeldOut, popularity: Floats
) -> PairSettings:
    """Return the settings under which the newest known item foretells best what each user does next.

    `popularity` is float32 of shape (items,); `rows_of` takes int64 of shape (asked,).
    """
    if not len(held_out.past):
        return PairSettings()
    items, places = np.unique(held_out.past.items[held_out.past.offsets[1:] - 1], return_inverse=True)
    rows = rows_of(items.astype(np.int64))
    popular = relative(popularity, len(popularity)) * _BELOW_NEIGHBOURS

    def value(neighbours: Sparse) -> float:
        gauge = ListGauge(held_out, len(popularity), repeats=False)
        for start in range(0, len(places), _AT_ONCE):
            gauge.take(0, start, neighbours[places[start : start + _AT_ONCE]].toarray() + popular)
        return gauge.judged([FitSettings()])[0].value

    values = {settings: value(neighbours) for settings, neighbours in rows.candidates()}
    best = max(values, key=values.__getitem__)
    values |= {settings: value(neighbours) for settings, neighbours in rows.ordered(best)}
    compared = {settings.label: round(found, 4) for settings, found in values.items()}
    return replace(max(values, key=values.__getitem__), compared={**compared, "users": len(places)})


def shared_rows(taken: Sparse, items: npt.NDArray[np.int64], least: float) -> Callable[[float], Sparse]:
    """Return what tells, by the power of activity, how much users speak for these items beside all others.

    A pair of fewer than `least` users is left out. `taken` is float32 of shape (users, items), an answer float32 of
    shape (len(items), items).
    """
    holders = csr_array(csr_array(taken.T)[items])
    lengths = np.diff(taken.indptr).astype(np.float32)

    def rows(activity: float) -> Sparse:
        speaking = holders.data * lengths[holders.indices] ** np.float32(-activity)
        evidence = csr_array(from_rows(speaking, holders.indices, holders.indptr, taken.shape[0]) @ taken)
        if least > 1:
            evidence = csr_array(evidence.multiply((holders @ taken) >= least))
        evidence.data[evidence.indices == np.repeat(items, np.diff(evidence.indptr))] = 0
        return evidence

    return rows


def discounted(evidence: Sparse, popularity: Floats, power: float) -> Sparse:
    """Return evidence over the listed item's popularity to a power; both are float32, one row for each asked item."""
    factors = np.maximum(popularity, 1) ** np.float32(-power)
    return from_rows(evidence.data * factors[evidence.indices], evidence.indices, evidence.indptr, evidence.shape[1])


def with_order(together: Matrix, order: Matrix, weight: float) -> Sparse:
    """Return the strongest of two kinds of neighbours, each in units of the row's strongest, the second weighed.

    Both are float32 with a row for each asked item, and so is the answer.
    """
    return csr_array(_in_units(together) + _in_units(order) * np.float32(weight))


def _in_units(rows: Matrix) -> Sparse:
    kept = strongest(rows, _MIXED_NEIGHBOURS)
    lengths = np.diff(kept.indptr)
    tops = np.ones(len(lengths), dtype=np.float32)
    if kept.nnz:
        tops[lengths > 0] = np.maximum(np.maximum.reduceat(kept.data, kept.indptr[:-1][lengths > 0]), 1e-12)
    return from_rows(kept.data / np.repeat(tops, lengths), kept.indices, kept.indptr, kept.shape[1])


def relative(popularity: Floats, n_items: int) -> Floats:
    """Return popularity over all items, the largest 1.

    `popularity` is float32 of shape (items with interactions,), the answer float32 of shape (n_items,).
    """
    scores = np.zeros(n_items, dtype=np.float32)
    scores[: len(popularity)] = popularity / max(float(popularity.max(initial=0)), 1.0)
    return scores
