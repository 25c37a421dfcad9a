"""Comparing answers with the output shapes of the botocore models."""

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from personalize_local.personalize.resources.resource_types import TYPES


def differences(shape: Shape | None, value: Any, path: str) -> Iterator[str]:
    """Yield where an answer, as it was on the wire, departs from its shape."""
    if shape is None:
        if value:
            yield f"{path}: an empty body was promised"
        return
    match shape:
        case StructureShape():
            yield from _structure_differences(shape, value, path)
        case ListShape():
            for number, part in enumerate(value):
                yield from differences(shape.member, part, f"{path}[{number}]")
        case MapShape():
            for key, part in value.items():
                yield from differences(shape.value, part, f"{path}.{key}")
        case _:
            yield from _scalar_differences(shape, value, path)


def _structure_differences(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: not an object"
        return
    yield from (f"{path}.{name} is unknown" for name in set(value) - set(shape.members))
    yield from (f"{path}.{name} is required" for name in set(shape.required_members) - set(value))
    for name in set(value) & set(shape.members):
        yield from differences(shape.members[name], value[name], f"{path}.{name}")


def _scalar_differences(shape: Shape, value: Any, path: str) -> Iterator[str]:
    types: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "boolean": (bool,),
        "integer": (int,),
        "long": (int,),
        "timestamp": (float,),
    }
    if not isinstance(value, types.get(shape.type_name, (int, float))):
        yield f"{path}: {value!r} is not a {shape.type_name}"
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield f"{path}: {value!r} is not in the enumeration"


def missing(operation: str, body: dict[str, Any]) -> Iterator[str]:
    """Yield what every described resource has, and this one lacks."""
    verb = next((verb for verb in ("Describe", "Create") if operation.startswith(verb)), None)
    noun = next((noun for noun, row in TYPES.items() if operation == f"{verb}{row.pascal}"), None)
    if verb is None or noun is None:
        return
    row = TYPES[noun]
    described = body if verb == "Create" else body.get(row.camel, {})
    dated = {"creationDateTime", "lastUpdatedDateTime", row.named} if verb == "Describe" else set()
    status = {"status"} if verb == "Describe" and row.words else set()
    yield from (f"{name} is missing" for name in ({row.arn_key} | dated | status) - set(described))
