"""Count how many users share two items, and how closely one item follows another in histories."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array, vstack

from personalize_local.engine.interactions.histories import Floats, Histories, Ints, Longs, ascending
from personalize_local.engine.interactions.sparse_matrices import (
    Matrix,
    Sparse,
    by_activity,
    empty,
    from_rows,
    plus_mirrored,
    plus_product,
    scaled,
    scaled_cells,
    stacked,
    strongest_rows,
)
from personalize_local.engine.processes.parallel_rows import in_parallel

DENSE_LIMIT = 10_000  # items; above, one dense matrix costs more than 0.4 GB
_DENSE_FROM = 0.25  # share of cells filled; below, a sparse matrix (8 bytes a cell, not 4) is much smaller
_DECAY = 10.0  # events; how fast the influence of an earlier event fades
_BACKWARD = 0.3  # what follows says something about what came before, too
_PAIRS_AT_ONCE = 200_000  # as many as stay in the cache
_HELD_BYTES = 1 << 29  # of a sparse matrix above DENSE_LIMIT: more cells of a row than fit are left out
_LEAST_HELD = 300  # cells of a row, whatever they take
_CELL_BYTES = 8


@dataclass
class CooccurrenceCounts:
    """Counts over the users added so far. A matrix is sparse until it is well filled, and above DENSE_LIMIT items.

    There nothing is counted before it is asked for: rows are made in blocks and cut to `held_cells`.
    """

    n_items: int
    window: int  # events ahead that count as following; 0 leaves order out
    activity: float = 0.0  # a user counts by one over that power of how many items the user has
    popularity: Floats = field(init=False)  # distinct users per item
    transitions: Any = field(init=False)  # row item then column item, faded by distance; up to DENSE_LIMIT items
    histories: list[Histories] = field(init=False, default_factory=list)  # what order is read from above it
    _taken: list[Sparse] = field(init=False, default_factory=list)
    _shared: Any = field(init=False)
    _shared_of: int = field(init=False, default=0)  # how many of `_taken` are in `_shared`

    def __post_init__(self) -> None:
        self.popularity = np.zeros(self.n_items, dtype=np.float32)
        self._shared = empty(self.n_items)
        self.transitions = empty(self.n_items) if self.window else None

    @property
    def n_users(self) -> int:
        """How many users have any item."""
        return sum(part.shape[0] for part in self._taken)

    @property
    def taken(self) -> Sparse:
        """The users that have any item x items, one cell for each pair.

        Returns float32 of shape (users, items).
        """
        if len(self._taken) == 1:
            return self._taken[0]
        return stacked(self._taken) if self._taken else empty(self.n_items)[:0]

    @property
    def weighted(self) -> Sparse:
        """The same cells, float32 of shape (users, items), each as much as its user counts."""
        return by_activity(self.taken, self.activity)

    @property
    def shared(self) -> Matrix:
        """How many users have both items, each as much as the user counts; counted when it is first asked for.

        Returns float32 of shape (items, items).
        """
        for pairs in self._taken[self._shared_of :]:
            lengths = np.diff(pairs.indptr).astype(np.int64)
            self._shared = self._roomy(self._shared, int((lengths**2).sum()))
            self._shared = plus_product(self._shared, pairs.T.tocsr(), by_activity(pairs, self.activity))
        self._shared_of = len(self._taken)
        return cast("Matrix", self._shared)

    @property
    def fits_densely(self) -> bool:
        """Whether one dense matrix of items x items may be afforded."""
        return self.n_items <= DENSE_LIMIT

    @property
    def held_cells(self) -> int:
        """How many cells of each row a sparse matrix holds above DENSE_LIMIT items."""
        return max(_LEAST_HELD, _HELD_BYTES // (_CELL_BYTES * max(1, self.n_items)))

    def cut(self, rows: Callable[[int, int], Sparse]) -> Sparse:
        """Return items x items, float32, of which `rows(start, stop)` makes a block, cut to each row's strongest cells.

        A row has no more cells than there are items that its users have.
        """
        taken = self.taken
        lengths = np.diff(taken.indptr)
        sizes = np.bincount(taken.indices, np.repeat(lengths, lengths), self.n_items)
        return strongest_rows(rows, np.minimum(sizes, self.n_items), self.held_cells)

    def add(self, histories: Histories) -> None:
        """Count these users, too."""
        pairs = histories.unique(self.n_items)
        self.popularity += np.bincount(pairs.indices, minlength=self.n_items).astype(np.float32)
        self._taken.append(pairs[np.flatnonzero(np.diff(pairs.indptr))])
        if self.window and not self.fits_densely:
            self.histories.append(histories)
        elif self.window:
            self.transitions = self._roomy(self.transitions, len(histories.items) * self.window)
            self.transitions = _add_transitions(self.transitions, histories, self.window)

    def _roomy(self, total: Matrix, added: int) -> Matrix:
        """Return the matrix, dense once the `added` pairs may fill a good part of it."""
        if isinstance(total, np.ndarray) or not self.fits_densely:
            return total
        filled = total.nnz + added
        return total.toarray() if filled > _DENSE_FROM * self.n_items**2 else total


def _add_transitions(total: Matrix, histories: Histories, window: int) -> Matrix:
    """Add exp(-(d - 1) / decay) for each pair of a user's events d apart, a band of items on each core."""
    n_items = total.shape[0]
    events = _EventsByItem.of(histories, n_items, window)
    height = max(1, min(512, n_items // 8, n_items * _PAIRS_AT_ONCE // max(1, len(histories.items) * window)))
    bands: dict[int, Sparse] = {}

    def band(first: int, last: int) -> None:
        for start in range(first, last, height):
            stop = min(start + height, last)
            pairs = events.near(start, stop, both_ways=False)
            if isinstance(total, np.ndarray):
                total[start:stop] += pairs.toarray()[:, :n_items]  # sums the cells that are there more than once
            else:
                bands[start] = _summed(pairs)

    in_parallel(band, n_items, height)
    return total if isinstance(total, np.ndarray) else csr_array(total + vstack([bands[key] for key in sorted(bands)]))


def in_order(counted: CooccurrenceCounts) -> Matrix:
    """Return how closely items follow one another, both ways, discounted by how common both are.

    Returns float32 of shape (items, items); above DENSE_LIMIT sparse, made in blocks of rows and cut.
    """
    if counted.fits_densely:
        return both_ways(counted.transitions, counted.popularity)
    return strongest_rows(*_rows_in_order(counted), counted.held_cells)


def in_order_beside(counted: CooccurrenceCounts, items: Longs) -> Sparse:
    """Return the rows of some items in what `in_order` returns, uncut; above DENSE_LIMIT no other rows are made.

    Returns float32 of shape (asked, items).
    """
    if counted.fits_densely:
        return csr_array(in_order(counted)[items])
    rows, _ = _rows_in_order(counted)
    return stacked([rows(int(item), int(item) + 1) for item in items])


def _rows_in_order(counted: CooccurrenceCounts) -> tuple[Callable[[int, int], Sparse], Longs]:
    """Return what makes a block of rows, and the most cells that each row can have."""
    size, rows, columns = counted.n_items, *_discounts(counted.popularity)
    parts = [_EventsByItem.of(histories, size, counted.window) for histories in counted.histories]

    def block(start: int, stop: int) -> Sparse:
        pairs = [_summed(part.near(start, stop, both_ways=True)) for part in parts]
        total = csr_array(sum(pairs[1:], start=pairs[0]))
        return scaled_cells(total, rows[start:stop], columns, start)

    events = np.sum([np.diff(part.begins) for part in parts], axis=0)
    return block, events * 2 * counted.window


def _summed(pairs: Sparse) -> Sparse:
    """Return what `_EventsByItem.near` does without its last column, with one cell for each pair of items."""
    pairs = csr_array(pairs[:, :-1])
    pairs.sum_duplicates()
    return pairs


@dataclass(frozen=True)
class _EventsByItem:
    """Events in the order of their items, and the events around each.

    Users lie apart by as many empty places as may be looked at, so that what is near an event is a run of places.
    """

    begins: Longs  # of each item in `places`
    places: Longs  # of the events, in `items` and `weights`
    items: Ints  # one more than there are where nothing is
    weights: Floats
    window: int

    @staticmethod
    def of(histories: Histories, n_items: int, window: int) -> "_EventsByItem":
        """Sort the events."""
        size = max(1, min(window, int(histories.lengths.max(initial=1)) - 1))
        events = len(histories.items)
        places = np.arange(events) + (histories.users() + np.int64(1)) * size
        items = np.full(events + (len(histories) + 1) * size, n_items, dtype=np.int32)
        weights = np.zeros(len(items), dtype=np.float32)
        items[places], weights[places] = histories.items, histories.weights
        order = ascending(histories.items.astype(np.int64))
        begins = np.searchsorted(histories.items[order], np.arange(n_items + 1))
        return _EventsByItem(begins, places[order], items, weights, size)

    def near(self, start: int, stop: int, *, both_ways: bool) -> Sparse:
        """Return the faded weights of what lies around some items' events, or only after them.

        A cell is there as often as its items meet; what is beyond a user's events is in one more column. What came
        before counts less, and as much as the event itself.

        Returns float32 of shape (stop - start, items + 1).
        """
        edges = self.begins[start : stop + 1]
        places = self.places[edges[0] : edges[-1]]
        fades = np.exp(-np.arange(self.window) / _DECAY).astype(np.float32)
        columns, weights = self._around(places + 1)
        cells = weights * fades
        if both_ways:
            earlier, _ = self._around(places - self.window)
            columns = np.concatenate([earlier, columns], axis=1)
            own = self.weights[places][:, None] * (np.float32(_BACKWARD) * fades[::-1])
            cells = np.concatenate([own, cells], axis=1)
        offsets = (edges - edges[0]) * cells.shape[1]
        return from_rows(cells.ravel(), columns.ravel(), offsets, len(self.begins))

    def _around(self, places: Longs) -> tuple[Ints, Floats]:
        """Return the items and weights at the places and after them, as many as are near, a row for each place."""
        items = sliding_window_view(self.items, self.window)[places]
        return items, sliding_window_view(self.weights, self.window)[places]


def both_ways(transitions: Matrix, popularity: Floats) -> Matrix:
    """Return the following scores with a share of their mirror image, discounted by how common both items are.

    All are float32: both matrices of shape (items, items), dense or sparse alike, `popularity` (items,).
    """
    rows, columns = _discounts(popularity)
    if isinstance(transitions, np.ndarray):
        return scaled(plus_mirrored(transitions, _BACKWARD), rows, columns)
    return scaled(csr_array(transitions + _BACKWARD * transitions.T), rows, columns)


def _discounts(popularity: Floats) -> tuple[Floats, Floats]:
    counts = np.maximum(popularity, 1)
    return counts ** np.float32(-0.5), counts ** np.float32(-0.3)
