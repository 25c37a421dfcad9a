"""Refuse calls of chosen AWS services for coming too fast, in each one's words: to test with."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

# Who signs says in the credential's scope which service it means.
_SCOPE: Final = re.compile(r"Credential=[^/\s]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_SAYS_SO_ITSELF: Final = "personalize"
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
    """A WSGI layer that refuses the calls that the fault `throttle` is unlucky for; Personalize's refuse themselves."""

    def __init__(self, application: Any, is_unlucky: Callable[[str], bool]) -> None:
        self._application = application
        self._is_unlucky = is_unlucky

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None or scope[1] == _SAYS_SO_ITSELF or not self._is_unlucky(scope[1]):
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        status, content_type, body = _AS_S3 if scope[1] == "s3" else _AS_JSON
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]
