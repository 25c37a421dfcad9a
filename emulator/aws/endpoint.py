"""The HTTP endpoint of the cloud: moto's WSGI application on 127.0.0.1."""

import threading
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from emulator.aws.permissions import Guard
from emulator.command_line import HIGHEST_PORT, HOST

POLL_SECONDS = 0.02  # how soon the server notices that it should stop


class _Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service, remembered: moto lists its own folder twice for every request, under a lock."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._services: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the service that answers for a host."""
        if host not in self._services:
            self._services[host] = super().get_backend_for_host(host)
        return self._services[host]


# One for all clouds of a process: it makes a Flask application per service on first use and keeps no other state.
_application: Any = Guard(_Dispatcher())


class _Handler(MotoRequestHandler):
    """moto's request handler, without a line on stderr per request."""

    def log_request(self, *_: object) -> None:
        """Say nothing."""


class Endpoint:
    """A server in a thread."""

    def __init__(self, port: int) -> None:
        if not 0 <= port <= HIGHEST_PORT:  # the system would take the number modulo 65,536
            raise ValueError(f"a port is a number from 0 to {HIGHEST_PORT}, not {port}")
        try:
            self._server = make_server(HOST, port, _application, threaded=True, request_handler=_Handler)
        except SystemExit as error:  # werkzeug's answer to a port that is taken
            raise OSError(f"port {port} is in use by another program") from error
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="endpoint", daemon=True
        )

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, if it ever began."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
