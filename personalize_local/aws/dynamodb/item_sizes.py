"""Measure items of DynamoDB as its Developer Guide says: names and strings in UTF-8, numbers by their digits."""

from collections.abc import Mapping
from typing import Any

NESTING_BYTES = 3  # of a list or a map, and one more for each of its elements


def item_size(attributes: Mapping[str, Any]) -> int:
    """Return the size of an item in bytes, given its attributes as moto keeps or the wire carries them."""
    return sum(_utf8(name) + value_size(value) for name, value in attributes.items())


def value_size(value: Any) -> int:
    """Return the size of a typed value, `{"S": "…"}` or moto's object of it."""
    if isinstance(value, Mapping):
        kind, content = next(iter(value.items()))
    else:
        kind, content = value.type, value.value
    return _size(kind, content)


def _size(kind: str, content: Any) -> int:  # one return per kind of value
    if kind in {"SS", "NS", "BS"}:
        return sum(_size(kind[0], element) for element in content)
    if kind == "L":
        return NESTING_BYTES + sum(1 + value_size(element) for element in content)
    if kind == "M":
        return NESTING_BYTES + sum(1 + _utf8(name) + value_size(element) for name, element in content.items())
    if kind == "N":
        digits = str(content).lstrip("-").replace(".", "").strip("0")
        return (len(digits) + 1) // 2 + 1
    return 1 if kind in {"BOOL", "NULL"} else _utf8(content)


def _utf8(text: str | bytes) -> int:
    return len(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
