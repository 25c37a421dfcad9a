"""Score a weighted history by a sparse item-to-item matrix, or by PureSVD: a sum of item vectors; and add a prior.

Items a user already has are ranked last unless users do come back. The vectors are the fastest way to score everybody
against everything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from personalize_local.engine.evaluation.ranked_lists import SEEN
from personalize_local.engine.interactions.histories import Floats, Histories, Longs
from personalize_local.engine.interactions.sparse_matrices import Sparse, from_rows, strongest

_CELLS_AT_ONCE = 1 << 17
RECENT_EVENTS = 50
_FADE_EVENTS = 5.0
SECOND_ROUND_ITEMS = 500  # that a second round goes on from, for each history: the cost of a question is bounded
_OLD_EVENT = 0.05


@dataclass(frozen=True)
class FitSettings:
    """What the data decided; saved with the model, and kept by trainingMode UPDATE."""

    base: str = "EASE"  # what is blind to order: a name of `item_weights.base_names`
    blend: float = 0.0  # weight of the order of events beside the base
    recency: bool = False  # recent events count more
    rounds: int = 1  # of item-to-item weights: a second one reaches items that share no user with those of a history
    repeats: bool = False  # users come back to items they have
    rank: int = 0  # of the factors that stand in for the item-to-item matrix; 0: they do not
    popularity: float = 1e-3  # added to the scores of popular items, before scaling
    trend: float = 0.0  # weight of how much more often an item is taken when the user was last there, after scaling
    scale: float = 1.0  # turns scores into logits whose softmax fits what users did next
    memory: str = ""  # in words: what was left out for the memory it takes
    compared: Mapping[str, float] = field(default_factory=dict)  # the value of each candidate, and how many users

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)


def periods(edges: Longs, times: Longs) -> npt.NDArray[np.int64]:
    """Return in which period each time is: 0 before the first edge; int64 of the shape of `times`."""
    return np.searchsorted(edges, times, side="right").astype(np.int64)


@dataclass(frozen=True)
class Prior:
    """What is added to the scores of all items: float32 of shape (periods, items); and where the periods meet.

    A model is measured with the period of each user's last event: there the truth comes next. A saved one is asked now.
    """

    rows: Floats
    edges: Longs

    @classmethod
    def at_all_times(cls, scores: Floats) -> Self:
        """Return a prior that is the same whenever a user was there; `scores` is float32 of shape (items,)."""
        return cls(scores[None, :], np.zeros(0, dtype=np.int64))

    def plus(self, scores: Floats) -> Self:
        """Return the sum with scores that count at all times, float32 of shape (items,)."""
        return replace(self, rows=self.rows + scores)

    def add_to(self, out: Floats, histories: Histories) -> None:
        """Add to `out`, float32 of shape (users, items); users without events are given the last period's."""
        if len(self.rows) == 1:
            out += self.rows[0]
        else:
            out += self.rows[self.periods_of(histories)]

    def periods_of(self, histories: Histories) -> npt.NDArray[np.int64]:
        """Return the period of each user's last event, the last one for users without; int64 of shape (users,)."""
        known = histories.lengths > 0
        found = np.full(len(histories), len(self.edges), dtype=np.int64)
        found[known] = periods(self.edges, histories.times[histories.offsets[1:][known] - 1])
        return found

    @property
    def now(self) -> Floats:
        """What is added when a question is asked after all that was trained on, float32 of shape (items,)."""
        return np.asarray(self.rows[-1])


@dataclass(frozen=True)
class ItemToItem:
    """A fitted model: logits of every item for any history."""

    weights: Sparse  # from an item of the history to a listed item
    prior: Prior  # added for everybody
    popular: Floats  # the logits of a user without history
    settings: FitSettings

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the logits of all items for the users from `start` to before `stop`.

        `out` is float32 of shape (stop - start, items).
        """
        part = queries.slice(start, stop)
        weights = history_weights(part, self.settings) * np.float32(self.settings.scale)
        width = self._columns.shape[1]
        for first, last in _runs(part.offsets, width):
            events = slice(part.offsets[first], part.offsets[last])
            cells = (self._cells[part.items[events]] * weights[events, None]).ravel()
            columns = self._columns[part.items[events]].ravel()
            edges = (part.offsets[first : last + 1] - part.offsets[first]) * width
            rows = csr_array(cast("Any", (cells, columns, edges)), shape=(last - first, out.shape[1]))
            for _ in range(1, self.settings.rounds):
                rows.sum_duplicates()
                rows = csr_array(strongest(rows, SECOND_ROUND_ITEMS) @ self.weights)
            rows.toarray(out=out[first:last])  # adds up equal columns
        self.prior.add_to(out, part)
        out[part.lengths == 0] = self.popular
        if not self.settings.repeats:
            out[part.users(), part.items] -= SEEN

    @cached_property
    def _columns(self) -> npt.NDArray[np.int32]:
        """The listed items beside each item, as many for each: whole rows are copied faster than parts are found."""
        return _padded(self.weights, self.weights.indices)

    @cached_property
    def _cells(self) -> Floats:
        """The weights beside `_columns`, zero where an item has fewer."""
        return _padded(self.weights, self.weights.data)

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        Returns float32, int32 and int64, as `load` expects them.
        """
        weights = self.weights
        return {
            "data": weights.data,
            "indices": weights.indices,
            "indptr": weights.indptr,
            "prior": self.prior.now,
            "popular": self.popular,
        }

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> "ItemToItem":
        """Return the model that `arrays` and the choice's settings describe.

        The arrays have the names and dtypes (float32, int32, int64) of `arrays`.
        """
        weights = from_rows(arrays["data"], arrays["indices"], arrays["indptr"], len(arrays["popular"]))
        scores, popular = np.asarray(arrays["prior"]), np.asarray(arrays["popular"])
        return ItemToItem(weights, Prior.at_all_times(scores), popular, FitSettings(**settings))


def _padded(matrix: Sparse, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    lengths = np.diff(matrix.indptr)
    rows = np.zeros((matrix.shape[0], max(1, int(lengths.max(initial=0)))), dtype=values.dtype)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = values
    return rows


def _runs(offsets: Longs, width: int) -> Iterator[tuple[int, int]]:
    """Yield runs of users whose events' rows fit in the cache together, at least one user in each."""
    first = 0
    while first < len(offsets) - 1:
        room = offsets[first] + max(1, _CELLS_AT_ONCE // width)
        last = max(first + 1, int(np.searchsorted(offsets, room, side="right")) - 1)
        yield first, last
        first = last


def history_weights(histories: Histories, settings: FitSettings) -> Floats:
    """Return how much each event says about what the user wants next.

    Returns float32 of shape (events,).
    """
    if not settings.recency:
        return histories.weights
    ages = histories.ages()
    faded = (_OLD_EVENT + np.exp(-ages / _FADE_EVENTS)) * (ages < RECENT_EVENTS)
    return np.asarray(faded, dtype=np.float32) * histories.weights


@dataclass(frozen=True)
class Factors:
    """A fitted model: logits of every item for any history, as products of two vectors."""

    vectors: npt.NDArray[np.float32]  # items x rank
    prior: Prior
    popular: Floats
    settings: FitSettings

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the logits of all items for the users from `start` to before `stop`.

        `out` is float32 of shape (stop - start, items).
        """
        part = queries.slice(start, stop)
        weights = history_weights(part, self.settings) * np.float32(self.settings.scale)
        profiles = part.matrix(len(self.vectors), weights) @ self.vectors
        np.matmul(profiles, self.vectors.T, out=out)
        self.prior.add_to(out, part)
        out[part.lengths == 0] = self.popular
        if not self.settings.repeats:
            out[part.users(), part.items] -= SEEN

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        All float32.
        """
        return {"vectors": self.vectors, "prior": self.prior.now, "popular": self.popular}

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> "Factors":
        """Return the model that `arrays` and the choice's settings describe.

        All arrays are float32.
        """
        vectors, scores, popular = (np.asarray(arrays[name]) for name in ("vectors", "prior", "popular"))
        return Factors(vectors, Prior.at_all_times(scores), popular, FitSettings(**settings))


def prior(popularity: Floats, n_items: int) -> Floats:
    """Return a score from 0 to 1 for being popular, over all items: it orders what a history says nothing about.

    `popularity` is float32 of shape (items with interactions,), the answer float32 of shape (n_items,).
    """
    scores = np.zeros(n_items, dtype=np.float32)
    scores[: len(popularity)] = np.log1p(popularity) / np.log1p(max(float(popularity.max(initial=0)), 1.0))
    return scores


def log_popularity(popularity: Floats, n_items: int) -> Floats:
    """Return the logits whose softmax is each item's share of all users, items without any just above nothing.

    `popularity` is float32 of shape (items with interactions,), the answer float32 of shape (n_items,).
    """
    counts = np.full(n_items, 0.01, dtype=np.float32)
    counts[: len(popularity)] += popularity
    return np.log(counts)
