"""Refuse a share of the calls of chosen AWS services for coming too fast, in each one's words: to test with."""

import random
import re
from collections.abc import Iterable
from typing import Any, Final

# Who signs says in the credential's scope which service it means.
_SCOPE: Final = re.compile(r"Credential=[^/\s]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_AS_JSON: Final = (
    "400 Bad Request",
    "application/x-amz-json-1.0",
    b'{"__type": "ThrottlingException", "message": "Rate exceeded"}',
)
_AS_S3: Final = (
    "503 Slow Down",
    "application/xml",
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
)


class Throttling:
    """A WSGI layer that lets everything pass until it is told which share of which services' calls to refuse."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._random = random.Random(0)
        self._share = 0.0
        self._services: frozenset[str] = frozenset()

    def refuse(self, share: float, services: Iterable[str]) -> None:
        """Refuse a share of the calls of these services, named as in signatures: `s3`, `dynamodb`, `states`.

        Raises ValueError for a share that is none.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"a share is a number from 0 to 1, not {share}")
        self._share, self._services = share, frozenset(services)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        if not self._share or self._random.random() >= self._share:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None or scope[1] not in self._services:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        status, content_type, body = _AS_S3 if scope[1] == "s3" else _AS_JSON
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]
