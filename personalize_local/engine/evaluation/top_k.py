"""Select the best k of many long rows of scores: exact, blocked, about as fast as computing the scores.

A block of rows is scored into a buffer that stays in the cache. Its columns are folded into groups by one vectorised
maximum; the k-th largest group maximum of a row is a lower bound of its k-th score, so one comparison with it leaves
little more than k candidates to sort. Rows where ties leave too many candidates are partitioned instead.

Blocks run on one thread per core. BLAS must not use threads of its own underneath (OPENBLAS_NUM_THREADS=1): two layers
of threads wait for each other, and one busy neighbour then costs a factor of twenty.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from personalize_local.engine.processes.parallel_rows import in_parallel

Score = Callable[[int, int, npt.NDArray[np.float32]], None]
"""Fills its third argument with the scores of the rows from the first to before the second."""

Restrict = Callable[[int, int, npt.NDArray[np.float32]], None]
"""Sets the scores of what must not be listed to minus infinity, in place."""

_BLOCK_BYTES = 4 << 20
_GROUPS_PER_RESULT = 8
_MOST_CANDIDATES_PER_RESULT = 6
_KEY_BITS = 33  # a row's scores, as integers of either sign, fit below its number


@dataclass(frozen=True)
class TopK:
    """The k best columns of each row, best first; missing ones have index -1 and score minus infinity."""

    items: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    log_totals: npt.NDArray[np.float32] | None  # log of the sum of exp(score) over all columns, when asked for


def best(
    score: Score,
    shape: tuple[int, int],
    k: int,
    *,
    restrict: Restrict | None = None,
    totals: bool = False,
) -> TopK:
    """Return the k highest scores of each row; equal scores are listed by column number.

    `restrict` is applied after the totals are taken, so that a filter does not change the scale of the scores.
    """
    rows, columns = shape
    k = min(k, columns)
    answer = TopK(
        np.full((rows, k), -1, dtype=np.int32),
        np.full((rows, k), -np.inf, dtype=np.float32),
        np.zeros(rows, dtype=np.float32) if totals else None,
    )
    if k == 0 or rows == 0:
        return answer
    height = max(1, min(256, rows, _BLOCK_BYTES // (4 * columns)))

    def work(first: int, last: int) -> None:
        buffer = np.empty((height, columns), dtype=np.float32)
        for start in range(first, last, height):
            stop = min(start + height, last)
            block = buffer[: stop - start]
            score(start, stop, block)
            _select_block(block, start, answer, restrict)

    in_parallel(work, rows, height)
    return answer


def _select_block(block: npt.NDArray[np.float32], start: int, answer: TopK, restrict: Restrict | None) -> None:
    stop = start + len(block)
    if answer.log_totals is not None:
        peaks = block.max(axis=1, keepdims=True)
        answer.log_totals[start:stop] = np.log(np.exp(block - peaks).sum(axis=1)) + peaks[:, 0]
    if restrict is not None:
        restrict(start, stop, block)
    answer.items[start:stop], answer.scores[start:stop] = _select(block, answer.items.shape[1])


def best_of_block(block: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int32]:
    """Return the columns of the k highest scores of each row, best first, as int32."""
    return _select(block, min(k, block.shape[1]))[0]


def _select(block: npt.NDArray[np.float32], k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    rows, columns = block.shape
    groups = _GROUPS_PER_RESULT * k
    if columns < 2 * groups:
        return _partition(block, k)
    depth = columns // groups
    peaks = block[:, : depth * groups].reshape(rows, depth, groups).max(axis=1)
    floor = np.partition(peaks, groups - k, axis=1)[:, groups - k]
    flat = np.flatnonzero(block >= floor[:, None])
    if len(flat) > _MOST_CANDIDATES_PER_RESULT * k * rows:
        return _partition(block, k)
    row, column = np.divmod(flat, columns)
    return _first_of_each(row, column, block.ravel()[flat], rows, k)


def _first_of_each(
    row: npt.NDArray[np.int64], column: npt.NDArray[np.int64], value: npt.NDArray[np.float32], rows: int, k: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    order = np.argsort((row << _KEY_BITS) - _sortable(value), kind="stable")  # equal scores stay in column order
    counts = np.bincount(row, minlength=rows)
    begins = np.cumsum(counts) - counts
    take = order[begins[:, None] + np.arange(k)]
    items, values = column[take].astype(np.int32), value[take]
    items[values == -np.inf] = -1
    return items, values


def _sortable(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return integers in the order of the numbers; zeros of both signs are equal, as they are for a comparison."""
    bits = (values + np.float32(0)).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(1 << 31)) - bits)


def _partition(block: npt.NDArray[np.float32], k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Select by a full sort of the negated scores: exact whatever the ties, and slow only where rows are long."""
    columns = block.shape[1]
    if columns > 4 * k:
        floor = np.partition(block, columns - k, axis=1)[:, columns - k]
        chosen = [_of_row(values, bound, k) for values, bound in zip(block, floor, strict=True)]
        items = np.stack(chosen).astype(np.int32)
    else:
        items = np.argsort(-block, axis=1, kind="stable")[:, :k].astype(np.int32)
    values = np.take_along_axis(block, items.astype(np.int64), axis=1)
    items[values == -np.inf] = -1
    return items, values


def _of_row(values: npt.NDArray[np.float32], bound: np.float32, k: int) -> npt.NDArray[np.int64]:
    above, ties = np.flatnonzero(values > bound), np.flatnonzero(values == bound)
    candidates = np.concatenate([above, ties[: k - len(above)]])
    return candidates[np.lexsort((candidates, -values[candidates]))]
