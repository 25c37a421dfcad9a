"""Put the service into moto's place for all three APIs, and take it out again."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import moto.personalize
from moto import backend_index
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from personalize_local.personalize.protocol.models import personalize_backends

_HOSTS: Final = re.compile(r"https?://personalize(-runtime|-events)?\.(.+)\.amazonaws\.com")
_PATTERN: Final = ("personalize", _HOSTS)
_MOTO_PERSONALIZE: Final[Any] = moto.personalize
_DISPATCHER: Final[Any] = DomainDispatcherApplication
_ORIGINALS: Final[Mapping[str, Any]] = {
    "backends": _MOTO_PERSONALIZE.personalize_backends,
    "infer": _DISPATCHER.infer_service_region_host,
}


def register() -> None:
    """Let moto find this service instead of its own four operations."""
    unregister()
    _MOTO_PERSONALIZE.personalize_backends = personalize_backends
    backend_index.backend_url_patterns.insert(0, _PATTERN)
    _DISPATCHER.infer_service_region_host = _with_back_door(_ORIGINALS["infer"])


def unregister() -> None:
    """Give moto its own back, and forget every resource."""
    _MOTO_PERSONALIZE.personalize_backends = _ORIGINALS["backends"]
    _DISPATCHER.infer_service_region_host = _ORIGINALS["infer"]
    if _PATTERN in backend_index.backend_url_patterns:
        backend_index.backend_url_patterns.remove(_PATTERN)
    personalize_backends.clear()


def _with_back_door(infer: Callable[..., str | None]) -> Callable[..., str | None]:
    """Send unsigned calls below /_local-cloud here; moto takes such paths for buckets."""

    def inferred(self: Any, environ: Mapping[str, Any], path: str) -> str | None:
        if path.startswith("/_local-cloud/"):
            return "personalize.us-east-1.amazonaws.com"
        return infer(self, environ, path)

    return inferred
