"""Check requests against the models before anything else: types, required members, lengths, patterns, enumerations.

Generated from the botocore model. The client checks a part of this; the wire may bring anything.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from personalize_local.personalize.controls.switches import Switches
from personalize_local.personalize.protocol.service_errors import ServiceError, serialization

_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}
# Java's character classes, in Python's spelling.
_BLANKS: Final = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CLASSES: Final = ((r"\p{L}\p{Z}\p{N}", rf"\w{_BLANKS}"), (r"\p{ASCII}", r"[\x00-\x7f]"))
_LARGEST: Final = {"integer": 2**31 - 1, "long": 2**63 - 1}


def check(shape: Shape | None, request: Mapping[str, Any], switches: Switches, declared: Collection[str] = ()) -> None:
    """Raise for a request that does not fit the shape: the first wrong type, or else all broken constraints.

    An operation that does not declare the exception of the switch answers with the general ValidationException.
    """
    if shape is None:
        return
    _check_types(shape, request, "")
    broken = list(_violations(shape, request, ""))
    if switches.unknown_member == "refuse":
        broken += _unknown_members(shape, request, "")
    if broken:
        plural = "s" if len(broken) > 1 else ""
        text = f"{len(broken)} validation error{plural} detected: {'; '.join(broken)}"
        chosen = switches.constraint_violation
        raise ServiceError(chosen if chosen in declared else "ValidationException", text, 400)


def _check_types(shape: Shape, value: Any, path: str) -> None:
    allowed = _JSON_TYPES[shape.type_name]
    is_stray_boolean = isinstance(value, bool) and shape.type_name != "boolean"
    if is_stray_boolean or not _fits(value, allowed):
        raise serialization(f"{_json_name(value)} can not be converted to {shape.type_name} at {path or 'the body'}.")
    if shape.type_name in _LARGEST and abs(int(value)) > _LARGEST[shape.type_name]:
        raise serialization(f"Number out of range for {shape.type_name} at {path}.")
    for part_shape, part, part_path in _parts(shape, value, path):
        if part is not None:
            _check_types(part_shape, part, part_path)


def _fits(value: Any, allowed: tuple[type, ...]) -> bool:
    return isinstance(value, allowed)


def _json_name(value: Any) -> str:
    names = {dict: "START_OBJECT", list: "START_ARRAY", str: "STRING_VALUE", bool: "BOOLEAN_VALUE"}
    return names.get(type(value), "NUMBER_VALUE")


def _parts(shape: Shape, value: Any, path: str) -> Iterator[tuple[Shape, Any, str]]:
    match shape:
        case StructureShape():
            for name, member in shape.members.items():
                yield member, value.get(name), f"{path}.{name}" if path else name
        case ListShape():
            for number, part in enumerate(value, 1):
                yield shape.member, part, f"{path}.{number}.member"
        case MapShape():
            for key, part in value.items():
                yield shape.key, key, f"{path}.key"
                yield shape.value, part, f"{path}.{key}.member"


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    yield from _missing(shape, value, path)
    yield from (_violation(value, path, broken) for broken in _broken(shape, value))
    for part_shape, part, part_path in _parts(shape, value, path):
        if part is not None:
            yield from _violations(part_shape, part, part_path)
        elif isinstance(shape, ListShape | MapShape):
            yield _violation(None, part_path, "Member must not be null")


def _missing(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(shape, StructureShape):
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield _violation(None, f"{path}.{name}" if path else name, "Member must not be null")


def _unknown_members(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name in sorted(set(value) - set(shape.members)):
            yield f"Unknown member '{name}' at '{path or 'the body'}'"
    for part_shape, part, part_path in _parts(shape, value, path):
        if part is not None:
            yield from _unknown_members(part_shape, part, part_path)


def _violation(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else value
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    facts = shape.metadata
    if shape.type_name in {"string", "list", "map"}:
        yield from _out_of_bounds(facts, len(value), "length")
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from _out_of_bounds(facts, value, "value")
    if shape.type_name != "string":
        return
    if "pattern" in facts and not _pattern(facts["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {facts['pattern']}"
    if "enum" in facts and value not in facts["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(facts['enum'])}]"


def _out_of_bounds(facts: Mapping[str, Any], size: float, what: str) -> Iterator[str]:
    if "min" in facts and size < facts["min"]:
        yield f"Member must have {what} greater than or equal to {facts['min']}"
    if "max" in facts and size > facts["max"]:
        yield f"Member must have {what} less than or equal to {facts['max']}"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    for java, python in _CLASSES:
        text = text.replace(java, python)
    return re.compile(text)
