"""Define what a cell may hold: an Avro schema's columns, as a pattern for the good rows and words for the bad ones.

The limits are those of the service's developer guide ("Creating a schema", "Data format guidelines").
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

ID_COLUMNS: Final = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID"})
_LONGEST_ID: Final = 256
_LONGEST_STRING: Final = 1000
# 100,000,000,000 seconds after 1970 is the year 5138; as milliseconds it is March 1973.
FIRST_MILLISECONDS: Final = 100_000_000_000
# What programs write for "nothing". The service takes an empty cell for null and these for text.
NULL_WORDS: Final = frozenset({"null", "nan", "none", "n/a", "undefined"})
_ACTION_EVENTS: Final = frozenset({"taken", "not taken", "viewed"})

_PLAIN: Final = rb'[^,"\\\r\n\x00]'
_QUOTED: Final = rb'(?:[^"\\\r\n\x00]|\\["\\]|"")'
ANY_CELL: Final = _PLAIN + b"*+"
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_WHOLE: Final = re.compile(r"[-+]?\d{1,400}", re.ASCII)  # Python refuses to convert 4,300 digits and more
_WHOLE_LIMITS: Final = {"int": 2**31, "long": 2**63}
_NUMBER_LIMITS: Final = {"float": (2 - 2**-24) * 2.0**127, "double": math.inf}  # what is rounded to infinity


class UnreadableSchemaError(Exception):
    """The dataset's schema is not a flat Avro record."""


@dataclass(frozen=True)
class Fault:
    """Why a cell cannot stay as it is: the rule it breaks, in one word, and what to do, in a sentence.

    Neither quotes the cell: where that may be told, it stands beside them.
    """

    rule: str
    advice: str
    uncertain: bool = False  # the service was seen to import such a file


@dataclass(frozen=True)
class Column:
    """One field of a dataset's schema, as cells are checked against it."""

    name: str
    type: str
    nullable: bool
    textual: bool = False
    words: frozenset[str] = frozenset()  # the values the service reserves for this column, in lower case
    lenient: bool = False  # takes what the service was seen to take, against its guide

    @property
    def is_id(self) -> bool:
        """Say whether the column names a user, an item or an action."""
        return self.name in ID_COLUMNS

    @property
    def is_time(self) -> bool:
        """Say whether the column holds a moment in Unix seconds."""
        return self.type == "long" and "TIMESTAMP" in self.name.split("_")

    @property
    def may_be_early(self) -> bool:
        """Say whether moments before 1970 are data: an item may be that old, an interaction may not."""
        return self.name == "CREATION_TIMESTAMP"

    @property
    def takes_anything(self) -> bool:
        """Say whether a cell of any text passes: the service was seen to import such, of plain whole numbers."""
        return self.lenient and self.is_uncertain

    @property
    def is_uncertain(self) -> bool:
        """Say whether nobody knows what becomes of a wrong cell: the guide forbids it, and jobs with it succeeded."""
        return self.type in _WHOLE_LIMITS and not self.nullable and not self.is_time

    @property
    def longest(self) -> int | None:
        """Return how many characters fit; textual columns are cut by the service, not refused."""
        if self.type != "string" or self.textual:
            return None
        return _LONGEST_ID if self.is_id or self.name == "EVENT_TYPE" else _LONGEST_STRING

    @property
    def pattern(self) -> bytes:
        """Return a pattern that only good cells match. It need not match all of them: `fault` has the last word."""
        if self.takes_anything:
            return rb'(?:"%s*+"|%s)' % (_QUOTED, ANY_CELL)
        bare, quoted = _PATTERNS[self.type](self)
        nothing = b'""' if self.nullable else b"(?!)"
        return rb'(?:%s|"%s"|%s)%s' % (bare, quoted, nothing, b"?+" if self.nullable else b"")

    def fault(self, value: str) -> Fault | None:
        """Return what is wrong with a cell's value, if anything is."""
        if self.takes_anything:
            return None
        fault = self._empty_fault() if value == "" else _CHECKS[self.type](self, value)
        return replace(fault, uncertain=True) if fault and self.is_uncertain else fault

    def _empty_fault(self) -> Fault | None:
        return None if self.nullable else Fault("null", f"{self.name} must not be empty")


def _string_pattern(column: Column) -> tuple[bytes, bytes]:
    if column.words:
        return _both(rb"(?i:%s)" % b"|".join(re.escape(word.encode()) for word in sorted(column.words)))
    # As many bytes as there may be characters: whatever is longer is measured by `fault`.
    times = b"+" if column.longest is None else b"{1,%d}" % column.longest
    bare, quoted = _PLAIN + times + b"+", _QUOTED + times + b"+"
    if column.is_id:
        words = b"|".join(re.escape(word.encode()) for word in sorted(NULL_WORDS))
        return rb"(?!(?i:%s)[,\r\n])%s" % (words, bare), rb'(?!(?i:%s)")%s' % (words, quoted)
    return bare, quoted


def _both(pattern: bytes) -> tuple[bytes, bytes]:
    return pattern, pattern


def _long_pattern(column: Column) -> tuple[bytes, bytes]:
    sign = b"" if column.is_time and not column.may_be_early else b"-?"
    return _both(rb" *+%s\d{1,%d}+" % (sign, 11 if column.is_time else 18))


def _number_pattern(_: Column) -> tuple[bytes, bytes]:
    # Numbers that fit for certain; longer ones and larger exponents are measured by `fault`.
    return _both(rb" *+-?\d{1,20}+(?:\.\d++)?+(?:[eE][-+]?\d)?+")


# For each type what a good cell looks like as it stands, and between quotes.
_PATTERNS: Final[dict[str, Callable[[Column], tuple[bytes, bytes]]]] = {
    "string": _string_pattern,
    "int": lambda _: _both(rb" *+-?\d{1,9}+"),
    "long": _long_pattern,
    "float": _number_pattern,
    "double": _number_pattern,
    "boolean": lambda _: _both(rb"(?i:true|false)"),
}


def _string_fault(column: Column, value: str) -> Fault | None:
    if column.longest is not None and len(value) > column.longest:
        advice = f"{column.name} takes at most {column.longest} characters, this has {len(value)}"
        return Fault("length", f"{advice}; a missing quote earlier in the line does this too")
    if column.is_id and value.lower() in NULL_WORDS:
        return Fault("reserved", f"a word for nothing would become an id; {column.name} must name something")
    if column.words and value.lower() not in column.words:
        return Fault("reserved", f"{column.name} is one of {', '.join(sorted(column.words))}")
    return None


def _whole_fault(column: Column, value: str) -> Fault | None:
    value = value.lstrip(" ")
    if not _WHOLE.fullmatch(value):
        return Fault("type", _advice(column, value, "a whole number"))
    number = int(value)
    if not -_WHOLE_LIMITS[column.type] <= number < _WHOLE_LIMITS[column.type]:
        return Fault("type", f"{column.name} is of type {column.type}, which holds no number of this size")
    if column.is_time and number >= FIRST_MILLISECONDS:
        return Fault("timestamp", f"{column.name} takes seconds since 1970; this looks like milliseconds")
    if column.is_time and number < 0 and not column.may_be_early:
        return Fault("timestamp", f"{column.name} takes seconds since 1970, and no time before")
    return None


def _number_fault(column: Column, value: str) -> Fault | None:
    value = value.lstrip(" ")
    if not _NUMBER.fullmatch(value):
        return Fault("type", _advice(column, value, "a number"))
    if not abs(float(value)) < _NUMBER_LIMITS[column.type]:
        return Fault("type", f"{column.name} is of type {column.type}, which holds no number of this size")
    return None


def _boolean_fault(column: Column, value: str) -> Fault | None:
    return None if value.lower() in {"true", "false"} else Fault("type", _advice(column, value, "true or false"))


def _advice(column: Column, value: str, wanted: str) -> str:
    if value.lower() in NULL_WORDS | {"na", "nil"}:
        return f"{column.name} takes {wanted}; to say nothing, leave the cell empty (in a nullable column)"
    if column.is_time:
        return f"{column.name} takes seconds since 1970 as a whole number, no other form of date"
    return f"{column.name} takes {wanted}"


_CHECKS: Final[dict[str, Callable[[Column, str], Fault | None]]] = {
    "string": _string_fault,
    "int": _whole_fault,
    "long": _whole_fault,
    "float": _number_fault,
    "double": _number_fault,
    "boolean": _boolean_fault,
}


def columns_of(schema: str, dataset: str, *, lenient: bool = False) -> tuple[Column, ...]:
    """Return the columns that a dataset's Avro schema asks for; lenient ones take what is uncertain."""
    try:
        fields = json.loads(schema)["fields"]
        return tuple(replace(_column(field, dataset), lenient=lenient) for field in fields)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableSchemaError(f"the schema of {dataset} is no flat Avro record: {error}") from error


def _column(field: dict[str, Any], dataset: str) -> Column:
    union = field["type"] if isinstance(field["type"], list) else [field["type"]]
    types = [member for member in union if member != "null"]
    if len(types) != 1 or types[0] not in _CHECKS:
        raise UnreadableSchemaError(f"{field['name']} is of type {field['type']}")
    words = _ACTION_EVENTS if (dataset, field["name"]) == ("action_interactions", "EVENT_TYPE") else frozenset[str]()
    return Column(field["name"], types[0], "null" in union, bool(field.get("textual")), words)
