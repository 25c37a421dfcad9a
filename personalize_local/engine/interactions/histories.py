"""Hold events as numbers: every user's in the order they happened, users and items as positions in sorted ids."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.interactions.sparse_matrices import Sparse, from_rows

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_FEW = 1_000
_LAST_SECOND = (1 << 37) - 1  # in the year 6325: an int64 holds as many for each of 60 million users


@dataclass(frozen=True)
class Histories:
    """Events of users 0..n-1, oldest first: those of user u are at offsets[u] to before offsets[u + 1]."""

    offsets: Longs
    items: Ints
    times: Longs
    weights: Floats

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Longs:
        """The number of events of each user.

        Returns int64 of shape (users,).
        """
        return np.diff(self.offsets)

    def users(self) -> Ints:
        """Return the user of each event.

        Returns int32 of shape (events,).
        """
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    def ages(self) -> Longs:
        """Return for each event how many of the same user's came after it.

        Returns int64 of shape (events,): 0 for the newest.
        """
        return np.repeat(self.offsets[1:], self.lengths) - 1 - np.arange(len(self.items))

    def of(self, users: npt.NDArray[np.integer]) -> "Histories":
        """Return these users' histories, in the given order; user -1 has none.

        `users` are integers (int32 or int64) of any length.
        """
        known = users >= 0
        starts = np.where(known, self.offsets[users], 0)
        lengths = np.where(known, self.lengths[users], 0) if len(self) else np.zeros(len(users), dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Histories(offsets, self.items[rows], self.times[rows], self.weights[rows])

    def where(self, keep: npt.NDArray[np.bool_]) -> "Histories":
        """Return the same users with only the events marked True.

        `keep` is bool of shape (events,).
        """
        kept = np.concatenate([[0], np.cumsum(keep)])
        return Histories(kept[self.offsets], self.items[keep], self.times[keep], self.weights[keep])

    def first_events(self) -> "Histories":
        """Return the same users with the oldest event of each."""
        return self.where(np.arange(len(self.items)) == np.repeat(self.offsets[:-1], self.lengths))

    def slice(self, start: int, stop: int) -> "Histories":
        """Return a run of users without copying their events."""
        first, last = self.offsets[start], self.offsets[stop]
        return Histories(
            self.offsets[start : stop + 1] - first,
            self.items[first:last],
            self.times[first:last],
            self.weights[first:last],
        )

    def matrix(self, n_items: int, weights: Floats | None = None) -> Sparse:
        """Return the events as a sparse matrix users x items; several events on one item stay apart until summed.

        Returns float32 of shape (users, items); `weights` is float32 of shape (events,), the events' own by default.
        """
        data = self.weights if weights is None else weights
        return from_rows(data, self.items, self.offsets, n_items)

    def unique(self, n_items: int) -> Sparse:
        """Return users x items with one entry per pair: the largest of its events' weights.

        Returns float32 of shape (users, items).
        """
        key = self.users().astype(np.int64) * n_items + self.items
        order = np.lexsort((-self.weights, key)) if self.weights.min(initial=1.0) < 1.0 else np.argsort(key)
        first = np.concatenate([[True], np.diff(key[order]) > 0])[: len(order)]
        users, items = np.divmod(key[order][first], n_items)
        offsets = np.searchsorted(users, np.arange(len(self) + 1))
        return from_rows(self.weights[order][first], items.astype(np.int32), offsets, n_items)


def one_item_each(items: npt.NDArray[np.integer]) -> Histories:
    """Return histories of a single event each: the form in which a question about an item is asked. Item -1: none.

    `items` are integers (int32 or int64), one per question.
    """
    known = items >= 0
    offsets = np.concatenate([[0], np.cumsum(known)]).astype(np.int64)
    count = int(offsets[-1])
    return Histories(
        offsets, items[known].astype(np.int32), np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.float32)
    )


def encode(values: pl.Series) -> tuple[pl.Series, Ints]:
    """Return the sorted distinct strings, and each value's position among them.

    The positions are int32 of the length of `values`.
    """
    if len(values) <= _FEW and not values.null_count():
        return _encode_few(values.to_list())
    coded = values.cast(pl.Categorical(pl.Categories.random()))
    distinct = coded.unique()
    ids = distinct.cast(pl.String)
    order = ids.arg_sort()
    position = np.empty(len(ids), dtype=np.int32)
    position[distinct.to_physical().to_numpy()[order.to_numpy()]] = np.arange(len(ids), dtype=np.int32)
    return ids.gather(order), position[coded.to_physical().to_numpy()]


def _encode_few(values: list[str]) -> tuple[pl.Series, Ints]:
    """Encode one user's events: polars' own machinery takes milliseconds, however few they are."""
    distinct = sorted(set(values))
    positions = {value: position for position, value in enumerate(distinct)}
    return pl.Series(distinct, dtype=pl.String), np.array([positions[value] for value in values], dtype=np.int32)


def find(ids: pl.Series, wanted: pl.Series | Sequence[str]) -> Ints:
    """Return the positions of strings in sorted ids, -1 for those that are not there.

    Returns int32 of the length of `wanted`. `ids` must be sorted.
    """
    if len(wanted) == 1 and isinstance(wanted[0], str):  # one question: no need to wake the thread pool
        position = bisect_left(ids, wanted[0])
        found_one = position < len(ids) and ids[position] == wanted[0]
        return np.array([position if found_one else -1], dtype=np.int32)
    sought = pl.Series(wanted, dtype=pl.String)
    if len(ids) == 0 or len(sought) == 0:
        return np.full(len(sought), -1, dtype=np.int32)
    positions = ids.search_sorted(sought).clip(0, len(ids) - 1)
    found = ids.gather(positions) == sought
    return np.where(found.fill_null(value=False).to_numpy(), positions.to_numpy(), -1).astype(np.int32)


def arrange(users: Ints, items: Ints, times: Longs, weights: Floats, n_users: int) -> Histories:
    """Sort events by user and time; events of the same second stay in the order they came in.

    `users` and `items` are int32, `times` int64, `weights` float32, all of shape (events,).
    """
    seconds = np.clip(times, 0, _LAST_SECOND)
    since = seconds - seconds.min(initial=_LAST_SECOND)
    order = ascending(users * (since.max(initial=0) + 1) + since)
    counts = np.bincount(users, minlength=n_users)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Histories(offsets, items[order], times[order], weights[order])


def ascending(values: Longs) -> Longs:
    """Return the positions of the values from the least on, equal ones in the order they came in.

    `values` is int64, the answer int64 of the same shape. Numbers that hold their own position are sorted in vectors,
    several times as fast as positions are.
    """
    bits = len(values).bit_length()
    least = int(values.min(initial=0))
    if (int(values.max(initial=0)) - least) >> (63 - bits):
        return np.argsort(values, kind="stable")
    numbered = (values - least) << bits
    numbered |= np.arange(len(values))
    numbered.sort()
    numbered &= (1 << bits) - 1
    return numbered


def append(past: Histories, recent: Histories) -> Histories:
    """Return the histories of the same users with the recent events after the past ones, exact repeats left out."""
    users = np.concatenate([past.users(), recent.users()])
    items = np.concatenate([past.items, recent.items])
    times = np.concatenate([past.times, recent.times])
    fresh = np.ones(len(items), dtype=np.bool_)
    if len(recent.items) and len(past.items):
        seen = set(zip(past.users().tolist(), past.items.tolist(), past.times.tolist(), strict=True))
        events = zip(recent.users().tolist(), recent.items.tolist(), recent.times.tolist(), strict=True)
        fresh[len(past.items) :] = [event not in seen for event in events]
    weights = np.concatenate([past.weights, recent.weights])
    return arrange(users[fresh], items[fresh], times[fresh], weights[fresh], len(past))


def relabel(histories: Histories, new_position: Ints) -> Histories:
    """Return the same events with every item's position replaced; those of items mapped to -1 are dropped.

    `new_position` is int32 of shape (items,).
    """
    items = new_position[histories.items]
    return replace(histories, items=items).where(items >= 0)
