"""Say what the service would refuse in a dataset's columns, before anything is made of them.

The limits are those of the developer guide ("Datasets and schemas"): what each type of dataset must have, which names
are the service's own, how many other columns fit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES: Final = frozenset({"string", "int", "long", "float", "double", "boolean"})
_NUMBERS: Final = _TYPES - {"string", "boolean"}
_NEVER_CATEGORICAL: Final = frozenset({"EVENT_TYPE", "EVENT_VALUE", "IMPRESSION"})


@dataclass(frozen=True)
class SchemaLimits:
    """What the service wants of one type of dataset; `reserved` names take one of the types given."""

    required: Mapping[str, str]
    most_own: int
    reserved: Mapping[str, frozenset[str]] = field(default_factory=dict)
    needs_own: bool = False


_TEXT: Final = frozenset({"string"})
_WHOLE: Final = frozenset({"long"})
_LIMITS: Final = {
    "interactions": SchemaLimits(
        {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
        5,
        {
            "EVENT_TYPE": _TEXT,
            "EVENT_VALUE": frozenset({"float"}),
            "IMPRESSION": _TEXT,
            "RECOMMENDATION_ID": _TEXT,
            "EVENT_ATTRIBUTION_SOURCE": _TEXT,
        },
    ),
    "items": SchemaLimits({"ITEM_ID": "string"}, 100, {"CREATION_TIMESTAMP": _WHOLE}, needs_own=True),
    "users": SchemaLimits({"USER_ID": "string"}, 25, needs_own=True),
    "actions": SchemaLimits(
        {"ACTION_ID": "string"},
        10,
        {
            "CREATION_TIMESTAMP": _WHOLE,
            "VALUE": _NUMBERS,
            "EXPIRATION_TIMESTAMP": _WHOLE,
            "ACTION_EXPIRATION_TIMESTAMP": _WHOLE,
            "REPEAT_FREQUENCY": _NUMBERS,
        },
        needs_own=True,
    ),
    "action_interactions": SchemaLimits(
        {"USER_ID": "string", "ACTION_ID": "string", "EVENT_TYPE": "string", "TIMESTAMP": "long"},
        5,
        {"RECOMMENDATION_ID": _TEXT, "IMPRESSION": _TEXT},
    ),
}


def schema_faults(dataset: str, columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the columns of a request's dataset: the column ('' for all of them), and the advice."""
    limits = _LIMITS[dataset]
    for name, kind in limits.required.items():
        if name not in columns:
            yield "", f"a dataset of {dataset} has a column {name} of type {kind!r}"
    for name, declared in columns.items():
        yield from ((name, advice) for advice in _column_faults(name, declared, limits))
    yield from _alike(columns)
    yield from _too_many(dataset, columns, limits)


def _column_faults(name: str, declared: Any, limits: SchemaLimits) -> Iterator[str]:
    attributes = declared if isinstance(declared, dict) else {"type": declared}
    kind, nullable = _type(attributes.get("type"))
    if not _NAME.fullmatch(name):
        yield "a column's name has letters, digits and underscores, and does not begin with a digit"
    if kind not in _TYPES:
        yield f"a column's type is one of {', '.join(sorted(_TYPES))}, or a list of 'null' and one of them"
    elif (wanted := limits.required.get(name)) and (kind != wanted or nullable):
        yield f"{name} is of type {wanted!r} and never null"
    elif kind not in (allowed := limits.reserved.get(name, _TYPES)):
        yield f"the service reserves {name} for values of type {' or '.join(sorted(allowed))}"
    flags = [flag for flag in ("categorical", "textual", "itemName") if attributes.get(flag)]
    if flags and kind in _TYPES - _TEXT:
        yield f"{flags[0]!r} is for columns of type 'string'"
    if "categorical" in flags and name in _NEVER_CATEGORICAL and name in {**limits.required, **limits.reserved}:
        yield f"{name} cannot be categorical"


def _type(declared: Any) -> tuple[Any, bool]:
    if not isinstance(declared, list):
        return (declared if isinstance(declared, str) else None), False
    types = [member for member in declared if member != "null"]
    return (types[0] if len(types) == 1 and isinstance(types[0], str) else None), "null" in declared


def _alike(columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name in columns:
        other = seen.setdefault(name.replace("_", "").upper(), name)
        if other != name:
            yield name, f"the service cannot tell it from {other}: underscores and case do not count"
    for flag in ("textual", "itemName"):
        flagged = [name for name, one in columns.items() if isinstance(one, dict) and one.get(flag)]
        if len(flagged) > 1:
            yield flagged[1], f"only one column is {flag!r}, and {flagged[0]} is"


def _too_many(dataset: str, columns: Mapping[str, Any], limits: SchemaLimits) -> Iterator[tuple[str, str]]:
    own = [name for name in columns if name not in limits.required and name not in limits.reserved]
    if len(own) > limits.most_own:
        yield "", f"a dataset of {dataset} has at most {limits.most_own} columns of one's own, these are {len(own)}"
    if limits.needs_own and not set(columns) - set(limits.required):
        yield "", f"a dataset of {dataset} has at least one column beside {', '.join(limits.required)}"
