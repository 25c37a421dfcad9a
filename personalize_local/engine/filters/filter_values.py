"""Resolve the operands of a filter's tests, given the placeholders' values and the current item."""

import re
from collections.abc import Mapping
from typing import Any, Final

from personalize_local.engine.datasets.schema import Field
from personalize_local.engine.filters.filter_rules import (
    CurrentItem,
    FilterError,
    FilterRule,
    FilterTest,
    Operand,
    Placeholder,
)

_VALUE: Final = re.compile(r'\s*(?:"((?:\\.|[^"\\])*)"|(-?\d+(?:\.\d+)?))\s*(?:,|$)')

Operands = tuple[Operand, ...]


def parse_values(name: str, text: str) -> Operands:
    r"""Return the values in a text like `"horror","comedy"` or `50`, as GetRecommendations gets them.

    Raises FilterError when the text is neither quoted values nor a number.
    """
    values: list[Operand] = []
    position = 0
    while position < len(text):
        value = _VALUE.match(text, position)
        if value is None:
            raise FilterError(
                f"The value of the filter parameter {name} must be text in double quotes or numbers, with commas"
                f" between them: {text!r} at column {position + 1}."
            )
        values.append(float(value[2]) if value[1] is None else re.sub(r"\\(.)", r"\1", value[1]))
        position = value.end()
    if not values:
        raise FilterError(f"The filter parameter {name} has no value.")
    return tuple(values)


def applies(rule: FilterRule, values: Mapping[str, str]) -> bool:
    """Return whether all the rule's placeholders have values. EXCLUDE rules may lack some, INCLUDE rules may not.

    Raises FilterError when a rule that must have values lacks some.
    """
    missing = sorted(rule.placeholders - values.keys())
    if missing and rule.include:
        raise FilterError(f"The filter parameters {', '.join(missing)} of an INCLUDE rule must have values.")
    return not missing


def operands_of(test: FilterTest, field: Field, values: Mapping[str, str], item: Mapping[str, Any]) -> Operands:
    """Return what the column is compared with; nothing when the current item has no value."""
    found: list[Operand] = []
    for operand in test.operands:
        if isinstance(operand, Placeholder):
            found += [_checked(value, operand, field) for value in parse_values(operand.name, values[operand.name])]
        elif isinstance(operand, CurrentItem):
            found += _of_item(item.get(operand.field.upper()), field)
        else:
            found.append(operand)
    return tuple(found)


def _checked(value: Operand, operand: Placeholder, field: Field) -> Operand:
    if isinstance(value, str) == field.numeric:
        raise FilterError(f"{value!r} is no value of {field.name} for the filter parameter {operand.name}.")
    return value


def _of_item(value: object, field: Field) -> list[Operand]:
    if value is None:
        return []
    if field.numeric:
        return [float(str(value))]
    return [*str(value).split("|")] if field.categorical else [str(value)]
