"""Say in which few ways the ledger's table is read and written: a Protocol, and conditions as values.

`{"state": ("WAITING", "CLAIMED")}` is a condition that a table in memory can judge as DynamoDB does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

Value = str | int | bool
Item = dict[str, Value]


class Absence(Enum):
    """The condition that an attribute is not there."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT


@dataclass(frozen=True)
class AtMost:
    """The condition that a number is not greater than a limit."""

    limit: int


Requirement = Value | AtMost | Absence
Condition = Mapping[str, Requirement | tuple[Requirement, ...]]  # every attribute, any of its alternatives


@dataclass(frozen=True)
class Put:
    """A part of a transaction: the item is written whole, in the place of what has its key, if the condition holds."""

    item: Item
    when: Condition = field(default_factory=dict)


@dataclass(frozen=True)
class Delete:
    """A part of a transaction: the item with this key is removed if the condition holds."""

    dataset: str
    entry: str
    when: Condition = field(default_factory=dict)


Write = Put | Delete


class Table(Protocol):
    """The ledger's table, as the domain sees it: items by (dataset, entry).

    Every read sees every write that was answered before it.
    """

    def create(self, item: Item) -> bool:
        """Write an item unless its key is taken; say whether it was written."""

    def get(self, dataset: str, entry: str) -> Item | None:
        """Return one item."""

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
        """Change an item (made if absent) in one step and return it; None when the condition does not hold."""

    def change(
        self,
        dataset: str,
        entry: str,
        *,
        put: Mapping[str, Value],
        remove: Sequence[str] = (),
        when: Condition | None = None,
    ) -> bool:
        """Update an item without reading it back; say whether the condition held."""

    def delete(self, dataset: str, entry: str) -> None:
        """Remove an item; one that is not there is removed already."""

    def commit(self, *writes: Write) -> bool:
        """Make all the writes, each of another item, or none of them; say whether every condition held."""

    def entries(self, dataset: str, prefix: str = "") -> Iterator[Item]:
        """Yield the items of a dataset whose entry begins with the prefix, in the order of `entry`."""

    def has_entries(self, dataset: str, prefix: str) -> bool:
        """Say whether a dataset has any item whose entry begins with the prefix; reads one."""

    def between(self, dataset: str, first: str, last: str) -> Iterator[Item]:
        """Yield the items of a dataset from one entry to another, both included, in the order of `entry`."""
