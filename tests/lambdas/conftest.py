"""One thing after the other: what the domain does at once for speed, tests do in order, so that they repeat exactly."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import pytest

from lambdas.gateways import concurrency


class OneByOne:
    """The part of ThreadPoolExecutor that is used, without threads."""

    def __init__(self, _workers: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return map(work, items)


@pytest.fixture(scope="session", autouse=True)
def one_by_one() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(concurrency, "ThreadPoolExecutor", OneByOne)
        yield
