"""Do the same thing to many files at once, because each one is a call to a service far away."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from lambdas.gateways.transient import naming_transient_errors
from lambdas.names import shown

AT_ONCE: Final = 16

Given = TypeVar("Given")
Result = TypeVar("Result")


def each(work: Callable[[Given], Result], items: Sequence[Given]) -> list[Result]:
    """Return the results in the order of the items; the first error is raised when all others are done."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return list(pool.map(work, items))


def each_apart(work: Callable[[Given], Result], items: Sequence[Given]) -> list[Result | Exception]:
    """Return the results in the order of the items; where one ended with an error, that error is its result."""

    def attempt(item: Given) -> Result | Exception:
        try:
            with naming_transient_errors():
                return work(item)
        except Exception as error:  # noqa: BLE001 - it is the answer about this item, whatever it is
            return error

    return each(attempt, items)


def each_named(work: Callable[[Given], Result], items: Mapping[str, Given]) -> tuple[dict[str, Result], list[str]]:
    """Return the results by name, and a sentence about each item that ended with an error."""
    outcomes = dict(zip(items, each_apart(work, list(items.values())), strict=True))
    errors = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Exception)}
    results = {name: outcome for name, outcome in outcomes.items() if not isinstance(outcome, Exception)}
    return results, [shown(f"{name}: {type(error).__name__}: {error}", 500) for name, error in errors.items()]
