"""Hold what a filter expression says, as values: rules of tests on the columns of one dataset each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from personalize_local.engine.api import DatasetType, EngineError

Target = Literal["ITEM", "USER", "ACTION"]
Operator = Literal["IN", "NOT IN", "=", "!=", "<", "<=", ">", ">="]
Operand = str | float

ANYTHING: Final = "*"
DATASETS: Final[dict[str, DatasetType]] = {
    "interactions": "INTERACTIONS",
    "items": "ITEMS",
    "users": "USERS",
    "actions": "ACTIONS",
    "action": "ACTIONS",
    "action_interactions": "ACTION_INTERACTIONS",
    "actioninteractions": "ACTION_INTERACTIONS",
}


class FilterError(EngineError):
    """The filter expression, or a value given for it, cannot be used."""


@dataclass(frozen=True)
class Placeholder:
    """A `$NAME`, given its values when the filter is used."""

    name: str


@dataclass(frozen=True)
class CurrentItem:
    """The value that the item of the question has in a column."""

    field: str


@dataclass(frozen=True)
class FilterTest:
    """One condition on a column. `position` is where it begins in the expression, counted from 1."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    dataset: DatasetType
    field: str
    operator: Operator
    operands: tuple[Operand | Placeholder | CurrentItem, ...]
    position: int

    @property
    def any_value(self) -> bool:
        """Whether the operand is `*`."""
        return self.operands == (ANYTHING,)


@dataclass(frozen=True)
class FilterRule:
    """INCLUDE or EXCLUDE what passes all tests of one alternative, for users who pass all tests of `when`."""

    include: bool
    target: Target
    alternatives: tuple[tuple[FilterTest, ...], ...]
    when: tuple[FilterTest, ...] = ()

    @property
    def tests(self) -> Iterator[FilterTest]:
        """Yield the tests on items, users or actions, without those on the current user."""
        return (test for alternative in self.alternatives for test in alternative)

    @property
    def dataset(self) -> DatasetType:
        """Return the dataset the rule looks at."""
        return self.alternatives[0][0].dataset

    @property
    def personal(self) -> bool:
        """Whether the rule's outcome differs between users or between current items."""
        looks_at_item = any(isinstance(operand, CurrentItem) for test in self.tests for operand in test.operands)
        return bool(self.when) or looks_at_item or self.dataset.endswith("INTERACTIONS")

    @property
    def placeholders(self) -> frozenset[str]:
        """Return the names of all `$NAME` in the rule."""
        tests = [*self.tests, *self.when]
        return frozenset(
            operand.name for test in tests for operand in test.operands if isinstance(operand, Placeholder)
        )


@dataclass(frozen=True)
class Filter:
    """A parsed filter expression."""

    rules: tuple[FilterRule, ...]

    @property
    def placeholders(self) -> frozenset[str]:
        """Return the names of all `$NAME` in the expression."""
        return frozenset[str]().union(*(rule.placeholders for rule in self.rules))
