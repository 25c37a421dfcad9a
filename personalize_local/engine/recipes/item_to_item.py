"""Score by one sparse item-to-item matrix and one weighted history, both chosen on users set aside.

The matrix blends EASE (a regularised linear autoencoder, blind to order) with how closely items follow one another.
Whether order and recency help is decided by the data: the candidates differ only in the blend and in how a history is
weighted, so choosing costs no further counting. Items a user already has are ranked last unless users do come back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_array

from personalize_local.engine.evaluation.ranked_lists import SEEN
from personalize_local.engine.interactions.cooccurrence import CooccurrenceCounts, Matrix, strongest
from personalize_local.engine.interactions.histories import Floats, Histories, Longs
from personalize_local.engine.interactions.sparse_matrices import (
    Sparse,
    cells_of,
    empty,
    from_cells,
    from_rows,
    stacked,
)

RIDGE = 200.0
_CELLS_AT_ONCE = 1 << 17
_ROWS_AT_ONCE = 512
RECENT_EVENTS = 50
_FADE_EVENTS = 5.0
_OLD_EVENT = 0.05


@dataclass(frozen=True)
class FitSettings:
    """What the data decided; saved with the model, and kept by trainingMode UPDATE."""

    blend: float = 0.0  # weight of the order of events beside EASE
    recency: bool = False  # recent events count more
    repeats: bool = False  # users come back to items they have
    rank: int = 0  # of the factors that stand in for the item-to-item matrix; 0: they do not
    popularity: float = 1e-3  # added to the scores of popular items, before scaling
    scale: float = 1.0  # turns scores into logits whose softmax fits what users did next

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ItemToItem:
    """A fitted model: logits of every item for any history."""

    weights: Sparse  # from an item of the history to a listed item
    prior: Floats  # added for everybody
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
            rows.toarray(out=out[first:last])  # adds up equal columns
        out += self.prior
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
            "prior": self.prior,
            "popular": self.popular,
        }

    @staticmethod
    def load(arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> "ItemToItem":
        """Return the model that `arrays` and the choice's settings describe.

        The arrays have the names and dtypes (float32, int32, int64) of `arrays`.
        """
        weights = from_rows(arrays["data"], arrays["indices"], arrays["indptr"], len(arrays["prior"]))
        return ItemToItem(weights, np.asarray(arrays["prior"]), np.asarray(arrays["popular"]), FitSettings(**settings))


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


def ease(shared: Matrix, ridge: float = RIDGE) -> npt.NDArray[np.float32]:
    """Return the item-to-item weights that best rebuild every history from the rest of it (Steck 2019).

    `shared` is float32 items x items; so is the answer, whose diagonal is zero. One matrix of that size is held beside
    it, in which the inverse takes the place of the counts and the weights that of the inverse.

    Raises ArithmeticError when the counts plus the ridge are not positive definite.
    """
    gram = np.array(shared, order="F") if isinstance(shared, np.ndarray) else shared.toarray(order="F")
    np.fill_diagonal(gram, gram.diagonal() + np.float32(ridge))
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, failed_too = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise ArithmeticError("the matrix of shared users is not positive definite")
    weights = np.asarray(inverse.T)  # the same memory by rows; its upper triangle is the inverse's
    scale = -inverse.diagonal()
    _mirror(weights)
    for start in range(0, len(weights), _ROWS_AT_ONCE):
        weights[start : start + _ROWS_AT_ONCE] /= scale
    np.fill_diagonal(weights, 0)
    return weights


def _mirror(matrix: npt.NDArray[np.float32]) -> None:
    """Copy the upper triangle to the lower one, in blocks."""
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(matrix))
        block = np.triu(matrix[start:stop, start:stop])
        matrix[start:stop, start:stop] = block + np.triu(block, 1).T
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T


def base_matrix(counted: CooccurrenceCounts) -> Matrix:
    """Return the order-blind part: EASE, or a discounted count of shared users where EASE would not fit in memory.

    Returns float32 of shape (items, items).
    """
    if counted.fits_densely:
        return ease(counted.shared)
    discount = np.maximum(counted.popularity, 1) ** -0.5
    data, rows, columns = cells_of(counted.shared)
    return from_cells(
        data * discount[rows] * discount[columns] * (rows != columns), rows, columns, counted.shared.shape
    )


def blend(base: Matrix, order: Matrix | None, weight: float, keep: int) -> Sparse:
    """Return base + weight x order, each in units of its own spread, cut to the `keep` strongest cells of each row.

    Both are float32 items x items. Rows are mixed and cut in blocks: nothing of the size of `base` is made.
    """
    dense = isinstance(base, np.ndarray)
    base_unit = _spread(base, every_cell=dense)
    share = np.float32(0)
    if order is not None and weight:
        share = np.float32(weight / _spread(order, every_cell=dense))

    def mixed(start: int, stop: int) -> Matrix:
        rows: Any = base[start:stop] / base_unit
        if order is not None and share:
            rows = rows + _like(rows, order[start:stop]) * share
        return cast("Matrix", rows)

    blocks = [
        strongest(mixed(start, min(start + _ROWS_AT_ONCE, base.shape[0])), keep)
        for start in range(0, base.shape[0], _ROWS_AT_ONCE)
    ]
    return stacked(blocks) if blocks else empty(base.shape[0])


def _like(rows: Matrix, others: Matrix) -> Matrix:
    """Return `others` dense if `rows` are."""
    return others.toarray() if isinstance(rows, np.ndarray) and not isinstance(others, np.ndarray) else others


def _spread(matrix: Matrix, *, every_cell: bool) -> np.float32:
    """Return the root mean square of every cell, or of those a sparse matrix keeps."""
    values = (matrix if isinstance(matrix, np.ndarray) else matrix.data).ravel()
    size = matrix.shape[0] * matrix.shape[1] if every_cell else values.size
    return np.float32(max(float(np.sqrt(np.dot(values, values) / max(1, size))), 1e-12))


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
