"""Run work over the rows of a matrix on one thread per core: numpy and scipy let go of the interpreter meanwhile."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

CORES = os.cpu_count() or 1


def in_parallel(work: Callable[[int, int], None], rows: int, height: int = 1) -> None:
    """Run `work(first, last)` over 0..rows in pieces, on all cores; small work stays on this thread."""
    pieces = min(CORES * 4, -(-rows // height)) if rows > height else 1
    if pieces <= 1:
        work(0, rows)
        return
    edges = [rows * piece // pieces for piece in range(pieces + 1)]
    with ThreadPoolExecutor(CORES) as pool:
        for done in [pool.submit(work, first, last) for first, last in pairwise(edges)]:
            done.result()
