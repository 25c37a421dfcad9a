"""Refuse what a web page of somebody else can send: foreign hosts, foreign origins, cross-site requests.

A browser lets every page in it send requests to 127.0.0.1, with any method and body that needs no preflight, and by
DNS rebinding even as if the page came from here. Its own marks tell such requests apart: the `Host` it was told to
ask, the `Origin` it runs for, and `Sec-Fetch-Site`. No page can forge one of them.
"""

import argparse
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from personalize_local.aws.http.refusals import Application, refuse

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HARMLESS_SITES = ("", "same-origin", "none")  # "none": somebody typed the address
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_SANDBOX = ("Content-Security-Policy", "sandbox")  # an HTML object of a bucket gets no origin, least of all ours
_NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFLIGHT_SECONDS = "600"


def origin(text: str) -> str:
    """Return an origin as browsers write it, for argparse; raise ArgumentTypeError for anything else."""
    if not _ORIGIN.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no origin; one looks like https://app.example or http://[::1]:80"
        )
    return text.lower()


class Origins:
    """A WSGI application that answers only hosts and origins of its own, and origins that its user named."""

    def __init__(
        self, application: Application, port: int, allowed: Collection[str] = (), *, scheme: str = "http"
    ) -> None:
        self._application = application
        is_default = port == _DEFAULT_PORTS[scheme]
        self._hosts = frozenset(f"{name}:{port}" for name in LOOPBACK) | frozenset(LOOPBACK if is_default else ())
        self._suffix = f".localhost:{port}"
        self._own = frozenset(f"{scheme}://{host}" for host in self._hosts)
        self._allowed = frozenset(allowed)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on, answer a preflight of an allowed origin, or refuse."""
        refusal = self._refusal(environ)
        if refusal is not None:
            return refuse(environ, start_response, "403 Forbidden", "AccessDenied", refusal)
        page = environ.get("HTTP_ORIGIN", "")
        if page in self._allowed and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            start_response("204 No Content", [*_preflight_answer(environ), *_answer_for(page)])
            return []
        more = [_SANDBOX, _NO_SNIFFING, *(_answer_for(page) if page in self._allowed else ())]

        def start(status: str, headers: Iterable[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*(header for header in headers if not _is_ours(header[0])), *more], *rest)

        return self._application(environ, start)

    def _refusal(self, environ: Mapping[str, Any]) -> str | None:
        host, page, site = (environ.get(f"HTTP_{name}", "") for name in ("HOST", "ORIGIN", "SEC_FETCH_SITE"))
        if not self._is_own_host(host.lower(), from_a_browser=bool(page or site)):
            return f"the local cloud does not answer for the host {host!r}, only for {', '.join(sorted(self._hosts))}"
        if page:
            if page not in self._own | self._allowed:
                return f"the local cloud answers no web page of {page}; serve --allow-origin {page} would allow it"
        elif site not in HARMLESS_SITES:
            return f"the local cloud answers no links, images or forms of other sites (Sec-Fetch-Site: {site})"
        return None

    def _is_own_host(self, host: str, *, from_a_browser: bool) -> bool:
        # SDKs put a bucket's name before localhost. No browser of ours needs that, and not all resolve it themselves.
        return host in self._hosts or (host.endswith(self._suffix) and not from_a_browser)


def _is_ours(header: str) -> bool:
    """Tell whether a header is for us to set: moto and S3 objects do not decide who may read an answer."""
    name = header.lower()
    return name.startswith("access-control-") or name in {_SANDBOX[0].lower(), _NO_SNIFFING[0].lower()}


def _answer_for(page: str) -> list[tuple[str, str]]:
    return [
        ("Access-Control-Allow-Origin", page),
        ("Access-Control-Expose-Headers", "*"),
        ("Vary", "Origin"),
    ]


def _preflight_answer(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    answer = [
        ("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE, PATCH"),
        ("Access-Control-Allow-Headers", headers),
        ("Access-Control-Max-Age", _PREFLIGHT_SECONDS),
    ]
    if "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK" in environ:
        answer.append(("Access-Control-Allow-Private-Network", "true"))
    return answer
