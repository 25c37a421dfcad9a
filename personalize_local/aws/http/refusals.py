"""Refuse a request before it reaches a service, in the words of the protocol that its sender speaks."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

_REST_JSON: Final = re.compile(r"/(lambda|personalize|scheduler)/aws4_request")  # their requests need not say JSON
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def refuse(
    environ: Mapping[str, Any], start_response: Callable[..., Any], status: str, code: str, message: str
) -> list[bytes]:
    """Answer with an error that an AWS SDK shows as `code: message`; people read it as it is."""
    text = error_text(environ, code, message)
    content = text.encode()
    kind = "application/x-amz-json-1.1" if text.startswith("{") else "application/xml"
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def error_text(environ: Mapping[str, Any], code: str, message: str, *, is_json: bool = False) -> str:
    """Return an error in JSON, or else in the XML of S3 or of the services with `Action` parameters."""
    is_json |= bool(_REST_JSON.search(environ.get("HTTP_AUTHORIZATION", "")))
    if is_json or "HTTP_X_AMZ_TARGET" in environ or "json" in environ.get("CONTENT_TYPE", ""):
        return json.dumps({"__type": f"{code}Exception", "message": message})
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    is_query = "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "")
    return f"<ErrorResponse>{error}</ErrorResponse>" if is_query else error
