"""Answer the runtime and events APIs straight from WSGI: moto's way takes as long as the answer itself."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from moto.iam.models import get_account_id_from

from personalize_local.personalize.protocol.responses import answered
from personalize_local.personalize.protocol.urls import DATA_PATHS

_SIGNED: Final = re.compile(r"Credential=([^/\s,]+)/\d{8}/([a-z0-9-]+)/personalize/aws4_request")
_ELSEWHERE: Final = ("HTTP_ORIGIN", "HTTP_X_MOTO_ACCOUNT_ID", "HTTP_CONTENT_ENCODING", "QUERY_STRING")
_REASONS: Final = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class DirectCalls:
    """A WSGI layer that answers what SDKs send to the two data planes, and passes everything else on."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a signed call of a data plane; a web page's or an unusual one goes moto's way."""
        signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        is_direct = environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] in DATA_PATHS
        if signed is None or not is_direct or any(environ.get(name) for name in _ELSEWHERE):
            return self._application(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        status, headers, text = answered(
            lambda: (get_account_id_from(signed[1]), signed[2]),
            environ["PATH_INFO"],
            None,
            environ["wsgi.input"].read(length),
        )
        body = text.encode()
        head = [*headers.items(), ("Content-Length", str(len(body)))]
        start_response(f"{status} {_REASONS.get(status, 'Error')}", head)
        return [body]
