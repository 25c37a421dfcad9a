"""A table in memory that judges conditions as DynamoDB does. `test_table.py` runs both through the same tests."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lambdas.gateways.dynamodb import ABSENT, AtMost, Condition, Item, Requirement, Value


class CrashError(BaseException):
    """The process died: nothing after this happened."""


class MemoryTable:
    """Items by key.

    `writes_left`, when set, is how many more writes succeed before the process dies. `interrupt` lets something
    else happen between two calls of whoever uses the table.
    """

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.calls = 0
        self.writes_left: int | None = None
        self._interruption: Callable[[], None] | None = None
        self._calls_left = 0

    def interrupt(self, calls: int, action: Callable[[], None] | None) -> None:
        """Do something else before one of the next calls."""
        self._interruption, self._calls_left = action, calls

    def _call(self) -> None:
        self.calls += 1
        if self._interruption is not None:
            self._calls_left -= 1
            if self._calls_left < 0:
                action, self._interruption = self._interruption, None
                action()

    def create(self, item: Item) -> bool:
        self._call()
        key = (str(item["dataset"]), str(item["entry"]))
        if key in self.items:
            return False
        self._write(key, dict(item))
        return True

    def get(self, dataset: str, entry: str) -> Item | None:
        self._call()
        return self._get(dataset, entry)

    def _get(self, dataset: str, entry: str) -> Item | None:
        item = self.items.get((dataset, entry))
        return dict(item) if item else None

    def update(
        self,
        dataset: str,
        entry: str,
        *,
        put: Mapping[str, Value] | None = None,
        remove: Sequence[str] = (),
        add: Mapping[str, int] | None = None,
        when: Condition | None = None,
    ) -> Item | None:
        self._call()
        item = self._get(dataset, entry) or {}
        if not all(_holds(item.get(name), wanted) for name, wanted in (when or {}).items()):
            return None
        changed = {**item, "dataset": dataset, "entry": entry, **(put or {})}
        for name, number in (add or {}).items():
            changed[name] = int(item.get(name, 0)) + number
        self._write((dataset, entry), {name: value for name, value in changed.items() if name not in remove})
        return self._get(dataset, entry)

    def change(
        self,
        dataset: str,
        entry: str,
        *,
        put: Mapping[str, Value],
        remove: Sequence[str] = (),
        when: Condition | None = None,
    ) -> bool:
        return self.update(dataset, entry, put=put, remove=remove, when=when) is not None

    def delete(self, dataset: str, entry: str) -> None:
        self._call()
        self.items.pop((dataset, entry), None)

    def unsettled(self, dataset: str) -> Iterator[Item]:
        self._call()
        found = [item for key, item in self.items.items() if key[0] == dataset and "open" in item]
        return iter(sorted(found, key=lambda item: str(item["open"])))

    def between(self, dataset: str, first: str, last: str) -> Iterator[Item]:
        self.calls += 1
        return (self.items[key] for key in sorted(self.items) if key[0] == dataset and first <= key[1] <= last)

    def has_unsettled(self, dataset: str) -> bool:
        return next(self.unsettled(dataset), None) is not None

    def entries(self, dataset: str, prefix: str = "") -> Iterator[Item]:
        self.calls += 1
        return (self.items[key] for key in sorted(self.items) if key[0] == dataset and key[1].startswith(prefix))

    def _write(self, key: tuple[str, str], item: Item) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise CrashError
            self.writes_left -= 1
        self.items[key] = item


def _holds(value: Value | None, wanted: Requirement | tuple[Requirement, ...]) -> bool:
    return any(_meets(value, one) for one in (wanted if isinstance(wanted, tuple) else (wanted,)))


def _meets(value: Value | None, wanted: Requirement) -> bool:
    if wanted is ABSENT:
        return value is None
    if isinstance(wanted, AtMost):
        return isinstance(value, int) and value <= wanted.limit
    return value is not None and value == wanted
