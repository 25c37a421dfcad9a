"""Evaluate a filter rule over the columns of a table: which rows pass.

A missing value passes no test, NOT IN included (our choice: the guide says only that such filters see no value).
"""

import operator
from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.engine.filters.filter_rules import FilterError, FilterTest, Operator
from personalize_local.engine.filters.filter_values import Operands

Resolved = tuple[tuple[tuple[FilterTest, Operands], ...], ...]  # alternatives of tests with their operands

_COMPARISONS: Final[dict[Operator, Callable[[pl.Expr, float], pl.Expr]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def passing(alternatives: Resolved, schema: Schema) -> pl.Expr:
    """Return whether a row passes all tests of at least one alternative."""
    return pl.any_horizontal(pl.all_horizontal(_test(test, values, schema) for test, values in a) for a in alternatives)


def column_of(test: FilterTest, schema: Schema) -> Field:
    """Return the tested column; names are compared without case.

    Raises FilterError when there is no such column.
    """
    for field in schema.fields:
        if field.name.upper() == test.field.upper():
            return field
    raise FilterError(f"The schema of the {test.dataset} dataset has no column {test.field}.")


def _test(test: FilterTest, values: Operands, schema: Schema) -> pl.Expr:
    field = column_of(test, schema)
    if not values:
        return pl.lit(value=False)
    if test.operator in {"IN", "NOT IN"} or not field.numeric:  # text knows no order: = is IN, and != is NOT IN
        inside = _inside(field, values)
        return (inside if test.operator in {"IN", "="} else ~inside).fill_null(value=False)
    column = pl.col(field.name).cast(pl.Float64)
    return _COMPARISONS[test.operator](column, float(values[0])).fill_null(value=False)


def _inside(field: Field, values: Operands) -> pl.Expr:
    column = pl.col(field.name)
    if field.numeric:
        return column.cast(pl.Float64).is_in([float(value) for value in values])
    if field.categorical:
        return _has_category(column, [str(value) for value in values])
    return column.is_in([str(value) for value in values])


def _has_category(column: pl.Expr, values: Sequence[str]) -> pl.Expr:
    """Return whether one of the categories, which `|` separates, is one of the values: half the time of a split."""
    possible = [pl.escape_regex(value) for value in values if "|" not in value]
    if not possible:
        return pl.when(column.is_not_null()).then(pl.lit(value=False))
    return column.str.contains(rf"(?:^|\|)(?:{'|'.join(possible)})(?:\||$)")
