"""Answer one request on a connection that may stay open for the next: werkzeug's own server closes each one."""

import logging
import select
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from werkzeug.exceptions import InternalServerError

BODY_IS_READ: Final = "local_cloud.body_is_read"  # in environ: nothing of this request is left on the connection
DRAINED_BYTES: Final = 10 * 1024 * 1024  # of a body that was refused: the client should see why, not a reset
_DRAIN_SECONDS: Final = 0.01
_WITHOUT_BODY: Final = (204, 304)
_LOG = logging.getLogger(__name__)


class Exchange:
    """One request and its answer: a WSGI server's half, for a handler that has read the request's head."""

    def __init__(self, handler: BaseHTTPRequestHandler, environ: dict[str, Any], *, may_stay: bool) -> None:
        self._handler, self._environ = handler, environ
        self._may_stay = may_stay
        self._head: tuple[str, list[tuple[str, str]]] | None = None
        self._has_begun = self._is_chunked = False

    def run(self, application: Any) -> None:
        """Answer with the application, or say that it broke."""
        try:
            self._answer(application)
        except (ConnectionError, TimeoutError):
            self._handler.close_connection = True
        except Exception:  # noqa: BLE001 - the log is where to look
            _LOG.exception("%s broke", self._environ.get("PATH_INFO"))
            self._may_stay = False
            self._handler.close_connection = True
            if not self._has_begun:
                self._answer(InternalServerError())
        finally:
            if self._handler.close_connection and not self._environ.get(BODY_IS_READ):
                self._drain()

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Note the head of the answer, as WSGI's start_response; return what writes its body."""
        if exc_info and self._has_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        self._head = (status, headers)
        return self._write

    def _answer(self, application: Any) -> None:
        parts: Iterable[bytes] = application(self._environ, self.start)
        try:
            for part in parts:
                self._write(part)
            if not self._has_begun:
                self._write(b"")
            if self._is_chunked:
                self._handler.wfile.write(b"0\r\n\r\n")
            self._handler.wfile.flush()
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _write(self, part: bytes) -> None:
        if not self._has_begun:
            self._begin()
        if part and self._is_chunked:
            part = b"%x\r\n%b\r\n" % (len(part), part)
        self._handler.wfile.write(part)  # buffered: a short answer is one packet

    def _begin(self) -> None:
        if self._head is None:
            raise RuntimeError("an application wrote before it started its answer")
        self._has_begun = True
        status, headers = self._head
        code, _, reason = status.partition(" ")
        self._handler.send_response(int(code), reason)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self._handler.send_header(name, value)
        has_body = self._environ["REQUEST_METHOD"] != "HEAD" and int(code) not in _WITHOUT_BODY
        if has_body and "content-length" not in names:
            self._is_chunked = self._environ["SERVER_PROTOCOL"] >= "HTTP/1.1"
            if self._is_chunked:
                self._handler.send_header("Transfer-Encoding", "chunked")
        is_told = self._is_chunked or not has_body or "content-length" in names
        if not (self._may_stay and is_told and self._environ.get(BODY_IS_READ)):
            self._handler.send_header("Connection", "close")  # which makes the handler close it
        self._handler.end_headers()

    def _drain(self) -> None:
        """Read on for a moment: a client that is still sending would see a reset instead of its answer."""
        left = DRAINED_BYTES
        connection: Any = self._handler.connection
        try:
            while left > 0 and select.select([connection], [], [], _DRAIN_SECONDS)[0]:
                piece = connection.recv(min(left, 1 << 16))
                if not piece:
                    return
                left -= len(piece)
        except OSError:
            return
