"""Write and read JSON with bytes in it: `{"base64": "…"}`, which no AWS API uses by itself."""

import base64
import json
from typing import Any


def dumps(value: Any) -> str:
    """Return the text of a document."""
    return json.dumps(value, default=_encoded)


def loads(text: str) -> Any:
    """Return what `dumps` was given."""
    return json.loads(text, object_hook=_decoded)


def _encoded(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"{value!r} cannot be kept")


def _decoded(members: dict[str, Any]) -> Any:
    encoded = members.get("base64") if len(members) == 1 else None
    return base64.b64decode(encoded) if isinstance(encoded, str) else members
