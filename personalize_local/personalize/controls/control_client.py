"""Change a served Personalize from another process: POST to /_local-cloud/<action>."""

import json
import os
import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from personalize_local.personalize.controls.control_header import CONTROL_HEADER

_ANSWER_SECONDS: Final = 130  # settling waits for real work
_NO_PROXY: Final = urllib.request.ProxyHandler({})  # a proxy cannot reach this machine's loopback interface


def look(endpoint: str) -> dict[str, Any]:
    """Return what is in force. Raises OSError or ValueError where no local Personalize answers."""
    return _call(endpoint, "show", None)


def change(endpoint: str, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Do something, and return what is in force then. Raises urllib's HTTPError where it is refused."""
    return _call(endpoint, action, json.dumps(body).encode())


def _call(endpoint: str, action: str, data: bytes | None) -> dict[str, Any]:
    url = f"{endpoint.rstrip('/')}/_local-cloud/{action}"
    headers = {"Content-Type": "application/json", CONTROL_HEADER: "1"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - parsed as HTTP
    trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    opener = urllib.request.build_opener(_NO_PROXY, urllib.request.HTTPSHandler(context=trusted))
    with opener.open(request, timeout=_ANSWER_SECONDS) as answer:
        state: dict[str, Any] = json.loads(answer.read())
        return state
