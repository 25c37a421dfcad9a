"""Check whether the schemas of a dataset group have what a filter tests."""

from collections.abc import Mapping
from typing import Final

from personalize_local.engine.api import DatasetType
from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.engine.filters.filter_rules import (
    CurrentItem,
    Filter,
    FilterError,
    FilterRule,
    FilterTest,
    Placeholder,
    Target,
)

_MOST_FIELDS: Final = 10
_ORDERS: Final = frozenset({"<", "<=", ">", ">="})


def check_filter(chosen: Filter, schemas: Mapping[DatasetType, Schema]) -> None:
    """Raise a FilterError unless the schemas of a group's datasets have the columns the filter tests."""
    if len({rule.target for rule in chosen.rules}) > 1:
        raise FilterError("All rules must be about the same kind of id.")
    fields = set()
    for rule in chosen.rules:
        _check_rule(rule)
        for test in [*rule.tests, *rule.when]:
            _check_test(test, schemas)
            fields.add((test.dataset, test.field.upper()))
    if len(fields) > _MOST_FIELDS:
        raise FilterError(f"It uses {len(fields)} fields; {_MOST_FIELDS} are allowed.")


_TARGETS: Final[Mapping[Target, frozenset[DatasetType]]] = {
    "ITEM": frozenset({"ITEMS", "INTERACTIONS"}),
    "USER": frozenset({"USERS", "INTERACTIONS"}),
    "ACTION": frozenset({"ACTIONS", "ACTION_INTERACTIONS"}),
}


def _check_rule(rule: FilterRule) -> None:
    for test in rule.tests:
        if test.dataset != rule.dataset:
            raise _error(test, "a rule can test the columns of one dataset only; join rules with |")
        if test.dataset not in _TARGETS[rule.target]:
            raise _error(test, f"rules about {rule.target.title()}ID cannot test the {test.dataset} dataset")


def _check_test(test: FilterTest, schemas: Mapping[DatasetType, Schema]) -> None:
    field = _find(test, test.field, schemas)
    if test.dataset.endswith("INTERACTIONS") and field.name != "EVENT_TYPE":
        raise _error(test, "only the column EVENT_TYPE of interactions can be tested")
    if test.any_value and field.name != "EVENT_TYPE":
        raise _error(test, "* is for EVENT_TYPE only")
    if field.type == "boolean" or field.textual:
        raise _error(test, f"{field.name} is {'textual' if field.textual else 'boolean'} and cannot be tested")
    if test.operator in _ORDERS and not field.numeric:
        raise _error(test, f"{test.operator} is for numbers, but {field.name} is of type {field.type}")
    for operand in test.operands:
        if isinstance(operand, CurrentItem):
            _check_current_item(test, field, _find(test, operand.field, schemas))
        elif not isinstance(operand, Placeholder) and isinstance(operand, str) == field.numeric:
            raise _error(test, f"{operand!r} is not a value of {field.name}, which is of type {field.type}")


def _check_current_item(test: FilterTest, field: Field, other: Field) -> None:
    if test.dataset != "ITEMS":
        raise _error(test, "only columns of Items can be compared with CurrentItem")
    if field.numeric != other.numeric:
        raise _error(test, f"{field.name} and {other.name} are of different types")


def _find(test: FilterTest, name: str, schemas: Mapping[DatasetType, Schema]) -> Field:
    schema = schemas.get(test.dataset)
    if schema is None:
        raise _error(test, f"the dataset group has no {test.dataset} dataset")
    found = next((field for field in schema.fields if field.name.upper() == name.upper()), None)
    if found is None:
        raise _error(test, f"the schema of the {test.dataset} dataset has no column {name}")
    return found


def _error(test: FilterTest, fault: str) -> FilterError:
    return FilterError(f"Invalid Expression at column {test.position}: {fault}.")
