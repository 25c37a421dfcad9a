"""Hold item-to-item weights as a matrix, a product through users or a sum, and mix them into a model's own."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array

from personalize_local.engine.interactions.cooccurrence import Matrix
from personalize_local.engine.interactions.histories import Floats
from personalize_local.engine.interactions.sparse_matrices import Sparse, cells_of, empty, stacked, strongest
from personalize_local.engine.processes.parallel_rows import in_parallel

_ROWS_AT_ONCE = 256
_SPREAD_BLOCKS, _SPREAD_ROWS = 32, 16


class Weights(Protocol):
    """Item-to-item weights: from an item of a history (a row) to a listed item (a column)."""

    @property
    def dense(self) -> bool:
        """Whether every cell counts; else only those that are kept."""

    def __len__(self) -> int: ...

    def block(self, start: int, stop: int) -> Matrix:
        """Return some rows, float32 of shape (stop - start, items), dense if the weights are."""

    def of(self, histories: Sparse) -> Floats:
        """Return the scores of all items for histories, float32 of shape (histories, items)."""


@dataclass(frozen=True)
class HeldWeights:
    """Weights that are held as a matrix of items x items."""

    matrix: Matrix

    @property
    def dense(self) -> bool:
        """Whether the matrix is."""
        return isinstance(self.matrix, np.ndarray)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def block(self, start: int, stop: int) -> Matrix:
        """Return some rows, float32 of shape (stop - start, items)."""
        return self.matrix[start:stop]

    def of(self, histories: Sparse) -> Floats:
        """Return the products, float32 of shape (histories, items)."""
        return _dense(histories @ self.matrix)


@dataclass(frozen=True)
class ThroughUsers:
    """Weights that are a product: from items to users and on to items, times a factor for the item listed."""

    left: Matrix  # items x users
    right: Matrix  # users x items
    factors: Floats
    diagonal: Floats  # of the product, which the weights do not have
    dense: bool = True

    def __len__(self) -> int:
        return len(self.factors)

    def block(self, start: int, stop: int) -> Matrix:
        """Return some rows, float32 of shape (stop - start, items)."""
        rows = _dense(self.left[start:stop] @ self.right)
        rows *= self.factors
        rows[np.arange(stop - start), np.arange(start, stop)] = 0
        return rows

    def of(self, histories: Sparse) -> Floats:
        """Return the scores, float32 of shape (histories, items)."""
        scores = _dense((histories @ self.left) @ self.right) * self.factors
        values, rows, items = cells_of(histories)
        np.subtract.at(scores, (rows, items), values * self.diagonal[items] * self.factors[items])
        return scores


@dataclass(frozen=True)
class MixedWeights:
    """The sum of two weights, each in units of its own spread and times a share."""

    parts: tuple[Weights, Weights]
    shares: tuple[np.float32, np.float32]

    @staticmethod
    def of_parts(first: Weights, second: Weights, share: float) -> "MixedWeights":
        """Return the first plus a share of the second."""
        return MixedWeights((first, second), (1 / spread(first), np.float32(share) / spread(second)))

    @property
    def dense(self) -> bool:
        """Whether one of them is."""
        return any(part.dense for part in self.parts)

    def __len__(self) -> int:
        return len(self.parts[0])

    def block(self, start: int, stop: int) -> Matrix:
        """Return some rows, float32 of shape (stop - start, items)."""
        first, second = (part.block(start, stop) for part in self.parts)
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


def _dense(matrix: Any) -> Floats:
    return np.asarray(matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), dtype=np.float32)


def blend(base: Weights, order: Matrix | None, weight: float, keep: int) -> Sparse:
    """Return base + weight x order, each in units of its own spread, cut to the `keep` strongest cells of each row.

    `order` is float32 items x items. Rows are mixed and cut in blocks: nothing of the size items x items is made.
    """
    base_unit = spread(base)
    share = np.float32(0)
    if order is not None and weight:
        share = np.float32(weight) / spread(HeldWeights(order), every_cell=base.dense)
    blocks: dict[int, Sparse] = {}

    def band(first: int, last: int) -> None:
        for start in range(first, last, _ROWS_AT_ONCE):
            stop = min(start + _ROWS_AT_ONCE, last)
            rows: Any = base.block(start, stop) / base_unit
            if order is not None and share:
                rows = rows + _like(rows, order[start:stop]) * share
            blocks[start] = strongest(rows, keep)

    in_parallel(band, len(base), _ROWS_AT_ONCE)
    return stacked([blocks[start] for start in sorted(blocks)]) if blocks else empty(len(base))


def _like(rows: Matrix, others: Matrix) -> Matrix:
    """Return `others` dense if `rows` are."""
    return others.toarray() if isinstance(rows, np.ndarray) and not isinstance(others, np.ndarray) else others


def spread(weights: Weights, *, every_cell: bool | None = None) -> np.float32:
    """Return the root mean square of the weights, of every cell or of those kept; of some rows where there are many."""
    size = len(weights)
    width = max(1, size // _SPREAD_BLOCKS)
    starts = range(0, size, width)
    blocks = [weights.block(start, min(start + min(width, _SPREAD_ROWS), size)) for start in starts]
    cells = [(block if isinstance(block, np.ndarray) else block.data).ravel() for block in blocks]
    every = weights.dense if every_cell is None else every_cell
    count = sum(block.shape[0] * size if every else values.size for block, values in zip(blocks, cells, strict=True))
    total = sum(float(np.dot(values, values)) for values in cells)
    return np.float32(max(np.sqrt(total / max(1, count)), 1e-12))
