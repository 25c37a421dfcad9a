"""Hold item-to-item weights as a matrix, a product through users or a sum, and mix them into a model's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array

from personalize_local.engine.interactions.histories import Floats, Longs
from personalize_local.engine.interactions.sparse_matrices import (
    Matrix,
    Sparse,
    cells_of,
    dense_product,
    empty,
    placed,
    stacked,
    strongest,
)
from personalize_local.engine.processes.parallel_rows import in_parallel

_ROWS_AT_ONCE = 256  # made by one product
_ROWS_IN_CACHE = 64  # mixed and cut
_SPREAD_BLOCKS, _SPREAD_ROWS = 32, 16
_SPREAD_AT_ONCE = 128


class Weights(Protocol):
    """Item-to-item weights: from an item of a history (a row) to a listed item (a column)."""

    @property
    def unit(self) -> np.float32:
        """Their spread."""

    @property
    def dense(self) -> bool:
        """Whether every cell counts; else only those that are kept."""

    def __len__(self) -> int: ...

    def block(self, items: Longs) -> Matrix:
        """Return the rows of some items, float32 of shape (asked, items), dense if the weights are."""

    def of(self, histories: Sparse) -> Floats:
        """Return the scores of all items for histories, float32 of shape (histories, items)."""


class _Measured:
    """What measures weights once, however often they are put together with others."""

    @cached_property
    def unit(self: Any) -> np.float32:
        """Their spread."""
        return spread(self)


@dataclass(frozen=True)
class HeldWeights(_Measured):
    """Weights that are held as a matrix of items x items."""

    matrix: Matrix

    @property
    def dense(self) -> bool:
        """Whether the matrix is."""
        return isinstance(self.matrix, np.ndarray)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def block(self, items: Longs) -> Matrix:
        """Return the rows of some items, float32 of shape (asked, items)."""
        return csr_array(self.matrix[items]) if not isinstance(self.matrix, np.ndarray) else self.matrix[items]

    def of(self, histories: Sparse) -> Floats:
        """Return the products, float32 of shape (histories, items)."""
        if isinstance(self.matrix, np.ndarray):
            return np.asarray(histories @ self.matrix, dtype=np.float32)
        return dense_product(histories, self.matrix)


@dataclass(frozen=True)
class ThroughUsers(_Measured):
    """Weights that are a product: from items to users and on to items, times a factor for the item listed."""

    left: Sparse  # items x users
    right: Matrix  # users x items
    factors: Floats
    diagonal: Floats  # of the product, which the weights do not have
    dense: bool = True

    def __len__(self) -> int:
        return len(self.factors)

    @cached_property
    def _dense_left(self) -> Floats:
        """The first step: whole histories lead to nearly every user, where a sparse product would be far slower."""
        return _dense(self.left)

    def block(self, items: Longs) -> Matrix:
        """Return the rows of some items, float32 of shape (asked, items)."""
        left = csr_array(self.left[items])
        rows = _times(left, self.right) if isinstance(self.right, np.ndarray) else dense_product(left, self.right)
        rows *= self.factors
        rows[np.arange(len(items)), items] = 0
        return rows

    def of(self, histories: Sparse) -> Floats:
        """Return the scores, float32 of shape (histories, items)."""
        scores = _times(histories @ self._dense_left, self.right)
        scores *= self.factors
        values, rows, items = cells_of(histories)
        np.subtract.at(scores, (rows, items), values * self.diagonal[items] * self.factors[items])
        return scores


@dataclass(frozen=True)
class MixedWeights(_Measured):
    """The sum of two weights, each in units of its own spread and times a share."""

    parts: tuple[Weights, Weights]
    shares: tuple[np.float32, np.float32]

    @staticmethod
    def of_parts(first: Weights, second: Weights, share: float) -> "MixedWeights":
        """Return the first plus a share of the second."""
        return MixedWeights((first, second), (1 / first.unit, np.float32(share) / second.unit))

    @property
    def dense(self) -> bool:
        """Whether one of them is."""
        return any(part.dense for part in self.parts)

    def __len__(self) -> int:
        return len(self.parts[0])

    def block(self, items: Longs) -> Matrix:
        """Return the rows of some items, float32 of shape (asked, items)."""
        first, second = (part.block(items) for part in self.parts)
        if self.dense:
            return self.summed(_dense(first), _dense(second))
        return csr_array(first * self.shares[0] + second * self.shares[1])

    def of(self, histories: Sparse) -> Floats:
        """Return the scores, float32 of shape (histories, items)."""
        return self.summed(*(part.of(histories) for part in self.parts))

    def summed(self, first: Floats, second: Floats) -> Floats:
        """Return the sum of what the parts say, float32 of the same shape; neither is changed."""
        total = second * self.shares[1]
        total += first * self.shares[0]
        return np.asarray(total, dtype=np.float32)


def _times(left: Matrix, right: Matrix) -> Floats:
    """Return a product by rows."""
    return np.ascontiguousarray(left @ right, dtype=np.float32)


def _dense(matrix: Any) -> Floats:
    return np.asarray(matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), dtype=np.float32)


def blend(base: Weights, order: Matrix | None, weight: float, keep: int, items: Longs | None = None) -> Sparse:
    """Return base + weight x order, each in units of its own spread, cut to the `keep` strongest cells of each row.

    `order` is float32 items x items. Rows are mixed and cut in blocks: nothing of the size items x items is made. Where
    `items` are given, int64 and ascending, only their rows are filled.
    """
    share = np.float32(0)
    if order is not None and weight:
        share = np.float32(weight) / spread(HeldWeights(order), every_cell=base.dense)
    asked = np.arange(len(base)) if items is None else items
    blocks: dict[int, Sparse] = {}

    def band(first: int, last: int) -> None:
        for start in range(first, last, _ROWS_AT_ONCE):
            some = asked[start : min(start + _ROWS_AT_ONCE, last)]
            rows: Any = base.block(some)
            rows /= base.unit
            for place in range(0, len(some), _ROWS_IN_CACHE):
                part = rows[place : place + _ROWS_IN_CACHE]
                if order is not None and share:
                    part = part + _like(part, HeldWeights(order).block(some[place : place + _ROWS_IN_CACHE])) * share
                blocks[start + place] = strongest(part, keep)

    in_parallel(band, len(asked), _ROWS_AT_ONCE)
    made = stacked([blocks[start] for start in sorted(blocks)]) if blocks else empty(len(base))[:0]
    return placed(made, asked, len(base))


def _like(rows: Matrix, others: Matrix) -> Matrix:
    """Return `others` dense if `rows` are."""
    return others.toarray() if isinstance(rows, np.ndarray) and not isinstance(others, np.ndarray) else others


def spread(weights: Weights, *, every_cell: bool | None = None) -> np.float32:
    """Return the root mean square of the weights, of every cell or of those kept; of some rows where there are many."""
    size = len(weights)
    rows = np.arange(size)
    sampled = rows[rows % max(1, size // _SPREAD_BLOCKS) < _SPREAD_ROWS]
    blocks = [weights.block(some) for some in np.split(sampled, range(_SPREAD_AT_ONCE, len(sampled), _SPREAD_AT_ONCE))]
    cells = [block.ravel() if isinstance(block, np.ndarray) else block.data for block in blocks]
    every = weights.dense if every_cell is None else every_cell
    count = sum(block.shape[0] * size if every else values.size for block, values in zip(blocks, cells, strict=True))
    total = sum(float(np.dot(values, values)) for values in cells)
    return np.float32(max(np.sqrt(total / max(1, count)), 1e-12))


def units_of(bases: Mapping[str, Weights], order: Matrix | None) -> Mapping[str, np.float32]:
    """Return the spread of each base, and that of the order among "every" cell and among those "kept".

    `order` is float32 of shape (items, items).
    """
    units = {name: base.unit for name, base in bases.items()}
    if order is None:
        return units
    every = spread(HeldWeights(order), every_cell=True)
    dense = isinstance(order, np.ndarray)  # which keeps every cell
    return units | {"every": every, "kept": every if dense else spread(HeldWeights(order), every_cell=False)}
