"""Do the same thing to many files at once, because each one is a call to a service far away."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

AT_ONCE: Final = 16

Given = TypeVar("Given")
Result = TypeVar("Result")


def each(work: Callable[[Given], Result], items: Sequence[Given]) -> list[Result]:
    """Return the results in the order of the items; the first error is raised when all others are done."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return list(pool.map(work, items))
