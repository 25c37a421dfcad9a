"""Bound what requests may take of this machine: bodies, one and all of them; headers; connections; patience."""

import contextlib
import gzip
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from moto.core.responses import BaseResponse
from werkzeug.wsgi import ClosingIterator

from personalize_local.aws.corrections import Correction
from personalize_local.aws.http.exchanges import BODY_IS_READ
from personalize_local.aws.http.refusals import Application, refuse

MIB = 1024 * 1024
PIECE_BYTES = MIB
UNPACKED_BYTES = 64 * MIB  # SDKs compress metrics, of at most a megabyte


@dataclass(frozen=True)
class RequestLimits:
    """What clients may take of this machine; every answer about a limit names it."""

    body_bytes: int = 512 * MIB  # S3 itself takes 5 GB in one request, but keeps it on disk
    bodies_bytes: int = 1024 * MIB  # of all requests under way together
    header_bytes: int = 64 * 1024
    connections: int = 512
    grace_seconds: float = 20  # a request may keep us waiting so long, and
    slowest_bytes_per_second: int = 16 * 1024  # as long as its bytes take at this speed


class TooMuchError(Exception):
    """A body beyond a limit: the status, code and message of the answer."""


class BoundedBodies:
    """A WSGI application that reads every body whole, in bounded memory, before it passes the request on."""

    def __init__(self, application: Application, limits: RequestLimits) -> None:
        self._application = application
        self._limits = limits
        self._lock = threading.Lock()
        self._held_bytes = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass on a request with its body in memory, or say which limit it exceeds."""
        with contextlib.ExitStack() as held:
            try:
                body = self._read(environ, held)
            except TooMuchError as error:
                return refuse(environ, start_response, *error.args)
            environ["wsgi.input"] = io.BytesIO(body)
            environ[BODY_IS_READ] = True
            if environ.pop("wsgi.input_terminated", False):  # it came in chunks
                environ["CONTENT_LENGTH"] = str(len(body))
                del environ["HTTP_TRANSFER_ENCODING"]
            answer = self._application(environ, start_response)
            return ClosingIterator(answer, held.pop_all().close)

    def _read(self, environ: dict[str, Any], held: contextlib.ExitStack) -> bytes:
        if environ.get("wsgi.input_terminated"):
            return b"".join(self._pieces(environ["wsgi.input"], held))
        text = environ.get("CONTENT_LENGTH") or "0"
        if not (text.isascii() and text.isdigit()):
            raise TooMuchError("400 Bad Request", "InvalidRequest", f"{text!r} is no Content-Length")
        self._hold(int(text[:20]), held)
        body: bytes = environ["wsgi.input"].read(int(text))
        if len(body) < int(text):
            raise ConnectionError("the client left in the middle of its body")
        return body

    def _pieces(self, stream: Any, held: contextlib.ExitStack) -> Iterator[bytes]:
        read = 0
        try:
            while piece := stream.read(PIECE_BYTES):
                read += len(piece)
                self._check(read)
                self._hold(len(piece), held)
                yield piece
        except TimeoutError:
            raise
        except OSError as error:
            raise TooMuchError("400 Bad Request", "InvalidRequest", f"a chunk cannot be read: {error}") from error

    def _check(self, size_bytes: int) -> None:
        limit = self._limits.body_bytes
        if size_bytes > limit:
            message = f"a body may have {limit:,} bytes here (serve --max-body-mib); S3 takes more in several parts"
            raise TooMuchError("413 Content Too Large", "EntityTooLarge", message)

    def _hold(self, size_bytes: int, held: contextlib.ExitStack) -> None:
        self._check(size_bytes)
        limit = self._limits.bodies_bytes
        with self._lock:
            if self._held_bytes + size_bytes > limit:
                message = f"the bodies of all requests under way may have {limit:,} bytes together; try again"
                raise TooMuchError("503 Service Unavailable", "SlowDown", message)
            self._held_bytes += size_bytes
        held.callback(self._release, size_bytes)

    def _release(self, size_bytes: int) -> None:
        with self._lock:
            self._held_bytes -= size_bytes


def decompress_request_body(response: Any, request: Any) -> None:
    """Unpack a compressed body; one that unpacks to more than a limit is cut off there, and so cannot be parsed."""
    if request.content_encoding == "gzip" and response.allow_request_decompression:
        with gzip.GzipFile(fileobj=request.stream) as packed:
            request.stream = io.BytesIO(packed.read(UNPACKED_BYTES))
        request.get_data(parse_form_data=True)


# Early versions of moto unpack nothing. With the pinned one, the correction's own test misses it if it goes.
CORRECTIONS = tuple(
    Correction(BaseResponse, name, decompress_request_body, "a megabyte unpacks to a gigabyte")
    for name in ("decompress_request_body",)
    if hasattr(BaseResponse, name)
)
