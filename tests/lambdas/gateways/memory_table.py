"""A table in memory that judges conditions as DynamoDB does. `test_dynamodb.py` runs both through the same tests."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lambdas.gateways.table import ABSENT, AtMost, Condition, Item, Put, Requirement, Value, Write


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
        if not _all_hold(item, when or {}):
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

    def commit(self, *writes: Write) -> bool:
        self._call()
        keys = [_key(write) for write in writes]
        assert len(set(keys)) == len(keys), "DynamoDB takes one write per item"
        if not all(_all_hold(self.items.get(key), write.when) for key, write in zip(keys, writes, strict=True)):
            return False
        self._live()
        for key, write in zip(keys, writes, strict=True):
            if isinstance(write, Put):
                self.items[key] = dict(write.item)
            else:
                self.items.pop(key, None)
        return True

    def between(self, dataset: str, first: str, last: str) -> Iterator[Item]:
        self._call()
        keys = sorted(key for key in self.items if key[0] == dataset and first <= key[1] <= last)
        return iter([dict(self.items[key]) for key in keys])

    def entries(self, dataset: str, prefix: str = "") -> Iterator[Item]:
        self._call()
        return iter(self._entries(dataset, prefix))

    def has_entries(self, dataset: str, prefix: str) -> bool:
        self._call()
        return bool(self._entries(dataset, prefix))

    def _entries(self, dataset: str, prefix: str) -> list[Item]:
        return [
            dict(self.items[key])
            for key in sorted(key for key in self.items if key[0] == dataset and key[1].startswith(prefix))
        ]

    def _write(self, key: tuple[str, str], item: Item) -> None:
        self._live()
        self.items[key] = item

    def _live(self) -> None:
        """Write once more, or die."""
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise CrashError
            self.writes_left -= 1


def _key(write: Write) -> tuple[str, str]:
    if isinstance(write, Put):
        return str(write.item["dataset"]), str(write.item["entry"])
    return write.dataset, write.entry


def _all_hold(item: Item | None, when: Condition) -> bool:
    return all(_holds((item or {}).get(name), wanted) for name, wanted in when.items())


def _holds(value: Value | None, wanted: Requirement | tuple[Requirement, ...]) -> bool:
    return any(_meets(value, one) for one in (wanted if isinstance(wanted, tuple) else (wanted,)))


def _meets(value: Value | None, wanted: Requirement) -> bool:
    if wanted is ABSENT:
        return value is None
    if isinstance(wanted, AtMost):
        return isinstance(value, int) and value <= wanted.limit
    return value is not None and value == wanted
