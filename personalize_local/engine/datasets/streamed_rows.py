"""Make the values of PutEvents and its siblings fit the columns of a schema."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.engine.datasets.schema_rules import cut, longest


def fit_rows(schema: Schema, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with exactly the schema's columns, each value of its column's type.

    Columns the schema lacks are left out; lists become `|`-separated text, as in CSV files. A value that does not fit
    and a missing required value are an EngineError.
    """
    return [{field.name: _fit(field, row.get(field.name)) for field in schema.fields} for row in rows]


def _fit(field: Field, value: object) -> object:
    if value is None or value == "":
        if field.nullable:
            return None
        raise EngineError(f"A value of the required column {field.name} is missing.")
    try:
        fitted = _CONVERSIONS[field.type](value)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise EngineError(f"The value {value!r} of column {field.name} is not of type {field.type}.") from error
    return _within_length(field, fitted) if isinstance(fitted, str) else fitted


def _within_length(field: Field, text: str) -> str:
    if field.textual:
        return cut(text)
    if len(text) > longest(field.name):
        raise EngineError(f"Length cannot be more than {longest(field.name)} characters for {field.name}.")
    return text


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "|".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _truth(value: object) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(value)
    return number


def _whole(bits: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        whole = int(value)
        if whole != _number(value) or not -(2 ** (bits - 1)) <= whole < 2 ** (bits - 1):
            raise ValueError(value)
        return whole

    return convert


_CONVERSIONS: Final[Mapping[str, Callable[[Any], object]]] = {
    "string": _text,
    "boolean": _truth,
    "float": _number,
    "double": _number,
    "int": _whole(32),
    "long": _whole(64),
}
