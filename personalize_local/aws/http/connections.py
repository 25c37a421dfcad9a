"""Serve HTTP to so many clients at a time, each of which must send its request without undue delay."""

import contextlib
import io
import socket
import ssl
import threading
import time
from typing import Any

from moto.moto_server import werkzeug_app
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from personalize_local.aws.http.exchanges import Exchange
from personalize_local.aws.http.request_limits import RequestLimits
from personalize_local.aws.http.silent_connections import SilentConnections
from personalize_local.clock import CLOCK

LAST_CHANCE_SECONDS = 0.001
LAST_WORDS_SECONDS = 1
# Before 5.2.5 moto had none of its own: names of S3 metadata with underscores were lost.
RequestHandler: Any = getattr(werkzeug_app, "MotoRequestHandler", WSGIRequestHandler)


class PatientReader(io.RawIOBase):
    """What a client sends, unless it is slower than the limits allow: then TimeoutError.

    Only the time that we wait for it counts, not what we do with it in between.
    """

    def __init__(self, connection: socket.socket, limits: RequestLimits, silent: SilentConnections) -> None:
        self._connection = connection
        self._limits = limits
        self._silent = silent
        self.ran_out = False
        self.renew()

    def renew(self) -> None:
        """Have patience for another request."""
        self._waited_seconds = 0.0
        self.received_bytes = 0

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, waiting for it as long as there is patience left."""
        left = self._limits.grace_seconds + self.received_bytes / self._limits.slowest_bytes_per_second
        left -= self._waited_seconds
        began = time.monotonic()
        try:
            self._connection.settimeout(max(left, LAST_CHANCE_SECONDS))
            is_silent = self.received_bytes == 0
            with self._silent.waiting_for(self._connection) if is_silent else contextlib.nullcontext():
                count = self._connection.recv_into(buffer)
        except TimeoutError:
            self.ran_out = True
            raise
        finally:
            self._waited_seconds += time.monotonic() - began
            self._connection.settimeout(None)
        self.received_bytes += count
        return count


class PatientWriter(io.RawIOBase):
    """What a client is sent. How slowly it reads is its own affair; one that takes nothing is left."""

    def __init__(self, connection: socket.socket, limits: RequestLimits) -> None:
        self._connection = connection
        self._limits = limits

    def writable(self) -> bool:
        """Tell that this can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Send what the client takes now; ConnectionAbortedError if that is nothing for `grace_seconds`."""
        try:
            self._connection.settimeout(self._limits.grace_seconds)
            return self._connection.send(data)
        except TimeoutError as error:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)  # nothing that is still buffered may wait again
            raise ConnectionAbortedError("the client takes no more of its answer") from error
        finally:
            self._connection.settimeout(None)


class BoundedHandler(RequestHandler):  # type: ignore[misc] # whichever moto has
    """moto's request handler within our limits, without a line on stderr per request."""

    server: "BoundedServer"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Read and write patiently."""
        super().setup()
        self._reader = PatientReader(self.connection, self.server.limits, self.server.silent)
        self.rfile = io.BufferedReader(self._reader)
        self.wfile = io.BufferedWriter(PatientWriter(self.connection, self.server.limits))  # one packet, if short
        self._requests = 0
        self._has_answered = False

    def handle_one_request(self) -> None:
        """Answer the next request."""
        self._reader.renew()
        self._requests += 1
        self._has_answered = False
        super().handle_one_request()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the cloud's time for the head `Date`: who asks is told by it when something is due, or idle."""
        return str(super().date_time_string(CLOCK.time() if timestamp is None else timestamp))

    def handle_expect_100(self) -> bool:
        """Tell a client to go on, at once."""
        told = super().handle_expect_100()
        self.wfile.flush()
        return bool(told)

    def run_wsgi(self) -> None:
        """Answer, and keep the connection while there are enough for others."""
        environ = self.environ = self.make_environ()
        Exchange(self, environ, may_stay=self.server.has_room).run(self.server.app)

    def parse_request(self) -> bool:
        """Read a request's head; say so when it is too long."""
        if not super().parse_request():
            return False
        limit = self.server.limits.header_bytes
        if len(self.raw_requestline) + sum(len(name) + len(value) for name, value in self.headers.items()) > limit:
            self.send_error(431, explain=f"The headers of a request may have {limit:,} bytes here.")
            return False
        return True

    def handle(self) -> None:
        """Answer; a client that was too slow to get an answer of its own is told why."""
        super().handle()
        is_under_way = self._requests == 1 or self._reader.received_bytes > 0  # else there was no other request
        if self._reader.ran_out and is_under_way and not self._has_answered:
            limits = self.server.limits
            message = (
                f"a request may keep the local cloud waiting for {limits.grace_seconds:g} s, and as long as its bytes "
                f"take at {limits.slowest_bytes_per_second:,} bytes per second"
            )
            with contextlib.suppress(OSError):
                _say_last(self.connection, "408 Request Timeout", message)

    def send_response(self, *answer: Any, **named: Any) -> None:
        """Begin an answer."""
        self._has_answered = True
        super().send_response(*answer, **named)

    def log_request(self, *_: object) -> None:
        """Say nothing."""

    def log_error(self, *_: object) -> None:
        """Say nothing: who sent a bad request is told."""


class BoundedServer(ThreadedWSGIServer):
    """A server with a thread per connection, and at most so many of them; `app` is to be set before it serves.

    When all places are taken, the connection that has been silent longest makes room for a new one.
    """

    def __init__(self, host: str, port: int, limits: RequestLimits, tls: ssl.SSLContext | None = None) -> None:
        self.limits = limits
        self.silent = SilentConnections()
        self._free = threading.Semaphore(limits.connections)
        self._open: set[socket.socket] = set()
        self._opening = threading.Lock()
        super().__init__(host, port, InternalServerError(), BoundedHandler)
        self.ssl_context = tls  # werkzeug would shake hands in the thread that accepts, where a slow client stops all

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; one too many is told to come again."""
        if self._free.acquire(blocking=False) or (
            self.silent.end_longest() and self._free.acquire(timeout=LAST_WORDS_SECONDS)
        ):
            super().process_request(request, client_address)
            return
        message = f"the local cloud serves {self.limits.connections} connections at once; try again"
        with contextlib.suppress(OSError):
            _say_last(request, "503 Service Unavailable", message)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next."""
        connection = request
        try:
            connection = self._encrypted(request)
            with self._opening:
                self._open.add(connection)
            super().process_request_thread(connection, client_address)
        except OSError:  # no handshake, or not in time: the client knows
            self.shutdown_request(request)
        finally:
            with self._opening:
                self._open.discard(connection)
            self._free.release()

    @property
    def has_room(self) -> bool:
        """Whether connections may stay open between requests: not when others may soon need their places."""
        return len(self._open) <= self.limits.connections // 2

    def server_close(self) -> None:
        """Stop listening, and on connections that wait for another request."""
        super().server_close()
        with self._opening:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def _encrypted(self, connection: socket.socket) -> socket.socket:
        if not isinstance(self.ssl_context, ssl.SSLContext):
            return connection
        connection.settimeout(self.limits.grace_seconds)
        encrypted = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            with self.silent.waiting_for(encrypted):
                encrypted.do_handshake()
        except OSError:
            encrypted.close()
            raise
        encrypted.settimeout(None)
        return encrypted


def _say_last(connection: socket.socket, status: str, message: str) -> None:
    """Answer on a bare socket."""
    connection.settimeout(LAST_WORDS_SECONDS)
    body = f"{message}\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.sendall((head + body).encode())
    connection.shutdown(socket.SHUT_WR)
