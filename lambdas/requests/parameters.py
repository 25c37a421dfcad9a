"""Check the parameters of a service operation against the service's own model, before anything is created.

boto3 itself checks required members, types and minimums only, and one call at a time; patterns, maximums and
enumerations would come back from the service, half-way through a run.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple


class Problem(NamedTuple):
    """What is wrong, and where: a JSON path such as ``$.solutions[0].name``."""

    path: str
    text: str


_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


def check_parameters(shape: Any, value: Any, path: str, also_allowed: Sequence[str] = ()) -> Iterator[Problem]:
    """Yield what is wrong with `value` as an input of the botocore `shape`.

    `also_allowed` names keys of the outermost structure that are not the service's.
    """
    expected = _PYTHON_TYPES.get(shape.type_name, (object,))
    if not isinstance(value, expected) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield Problem(path, f"must be a {shape.type_name}, not {value!r}")
    elif shape.type_name == "structure":
        yield from _check_structure(shape, value, path, also_allowed)
    elif check := _CHECKS.get(shape.type_name, None if shape.type_name == "boolean" else _check_number):
        yield from check(shape, value, path)


def _check_list(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    yield from _check_size(shape, len(value), path, " elements")
    for position, element in enumerate(value):
        yield from check_parameters(shape.member, element, f"{path}[{position}]")


def _check_map(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    for key, element in value.items():
        yield from check_parameters(shape.key, key, f"{path}.{key}")
        yield from check_parameters(shape.value, element, f"{path}.{key}")


def _check_structure(shape: Any, value: Any, path: str, also_allowed: Sequence[str]) -> Iterator[Problem]:
    for key, element in value.items():
        if key in shape.members:
            yield from check_parameters(shape.members[key], element, f"{path}.{key}")
        elif key not in also_allowed:
            allowed = sorted({*shape.members, *also_allowed})
            yield Problem(f"{path}.{key}", f"unknown key; allowed: {', '.join(allowed)}")
    for key in shape.required_members:
        if key not in value:
            yield Problem(path, f"lacks {key}")


def _check_string(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if shape.enum and value not in shape.enum:
        yield Problem(path, f"{value!r} is not one of {', '.join(shape.enum)}")
        return
    yield from _check_size(shape, len(value), path, " characters")
    pattern = shape.metadata.get("pattern")
    if pattern and not _fits(pattern, value):
        yield Problem(path, f"{value!r} does not match {pattern}")


def _fits(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # a Java expression that Python does not know: the service will check it
        return True


def _check_number(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    yield from _check_size(shape, value, path, "")


def _check_size(shape: Any, size: float, path: str, unit: str) -> Iterator[Problem]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield Problem(path, f"must be at least {least}{unit}")
    if most is not None and size > most:
        yield Problem(path, f"must be at most {most}{unit}")


_CHECKS: Final[Mapping[str, Callable[[Any, Any, str], Iterator[Problem]]]] = {
    "list": _check_list,
    "map": _check_map,
    "string": _check_string,
}
