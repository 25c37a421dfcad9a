"""Know which connections have sent no byte of a request, and end the one that has been silent longest."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator


class SilentConnections:
    """The connections on which nothing of a request has come yet, first one or next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._longest_first: dict[socket.socket, None] = {}

    @contextlib.contextmanager
    def waiting_for(self, connection: socket.socket) -> Iterator[None]:
        """Count a connection as silent, until its first byte or its end has come."""
        with self._lock:
            self._longest_first[connection] = None
        try:
            yield
        finally:
            with self._lock:
                self._longest_first.pop(connection, None)

    def end_longest(self) -> bool:
        """End what is to come from the longest silent connection; False when none is silent.

        Who waits for it sees its end. What has come meanwhile can still be read and answered.
        """
        with self._lock:
            for connection in list(self._longest_first):
                if self._is_silent(connection):
                    del self._longest_first[connection]
                    with contextlib.suppress(OSError):
                        # Not TLS's own shutdown, after which the rest would be sent in clear.
                        socket.socket.shutdown(connection, socket.SHUT_RD)
                    return True
        return False

    @staticmethod
    def _is_silent(connection: socket.socket) -> bool:
        """Return whether there is nothing to read, not even an end."""
        with contextlib.suppress(OSError, ValueError):  # it was closed just now
            poll = select.poll()  # as select() knows no file numbers above 1023
            poll.register(connection, select.POLLIN)
            return not poll.poll(0)
        return False
