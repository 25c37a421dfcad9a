"""Serve moto's WSGI application on 127.0.0.1, behind what keeps strangers out.

From the outside in: `connections` (how many, how slow), `origins` (which pages), `request_limits` (how much),
`throttling` (what comes too fast, if a test says so), `regions` (which AWS has), and the application: for a whole cloud
`authorization` (what a handler's role may do), `callers` (what only the deployer may do), and the service.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from personalize_local.aws.http.connections import BoundedServer
from personalize_local.aws.http.origins import Origins
from personalize_local.aws.http.refusals import Application
from personalize_local.aws.http.regions import Regions
from personalize_local.aws.http.request_limits import BoundedBodies, RequestLimits
from personalize_local.aws.http.throttling import Throttling
from personalize_local.command_line import HIGHEST_PORT, HOST

if TYPE_CHECKING:  # it loads cryptography
    from personalize_local.aws.http.certificate import Certificate

POLL_SECONDS = 0.02  # how soon the server notices that it should stop
REMEMBERED_HOSTS = 256  # a host has the region in it, which is whatever a client wrote


class _Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service, remembered: moto lists its own folder twice for every request, under a lock."""

    def __init__(self, served: frozenset[str]) -> None:
        super().__init__(create_backend_app)
        self._served = served
        self._services: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the service that answers for a host; raise LookupError if it is not for the network."""
        if host not in self._services:
            if len(self._services) >= REMEMBERED_HOSTS:
                self._services.clear()
            self._services[host] = super().get_backend_for_host(host)
        service = self._services[host]
        if host is not None and service not in self._served:
            raise LookupError(service or host)
        return service


@cache
def dispatcher(served: frozenset[str]) -> Any:
    """Return moto's application for chosen services, in its names for them.

    One for all servers of a process: it makes a Flask application per service on first use and keeps no other state.
    """
    return _Dispatcher(served)


@dataclass(frozen=True)
class Access:
    """Which web pages may use an endpoint, beside its own; what clients may take of the machine; HTTPS, if wanted."""

    origins: tuple[str, ...] = ()
    limits: RequestLimits = field(default_factory=RequestLimits)
    certificate: "Certificate | None" = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that clients need to trust the endpoint."""
        return self.certificate.environment if self.certificate else {}


class Endpoint:
    """An application's HTTP server, in a thread; `is_unlucky` tells which calls of a service come too fast."""

    def __init__(self, port: int, application: Application, access: Access, is_unlucky: Callable[[str], bool]) -> None:
        if not 0 <= port <= HIGHEST_PORT:  # the system would take the number modulo 65,536
            raise ValueError(f"a port is a number from 0 to {HIGHEST_PORT}, not {port}")
        try:
            tls = access.certificate.context if access.certificate else None
            self._server = BoundedServer(HOST, port, access.limits, tls)
        except SystemExit as error:  # werkzeug's answer to a port that is taken
            raise OSError(f"port {port} is in use by another program") from error
        bounded = BoundedBodies(Throttling(Regions(application), is_unlucky), access.limits)
        scheme = "https" if access.certificate else "http"
        self._server.app = Origins(bounded, self._server.server_port, access.origins, scheme=scheme)
        self.url = f"{scheme}://{HOST}:{self._server.server_port}"
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
