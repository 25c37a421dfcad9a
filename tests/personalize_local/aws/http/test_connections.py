"""Connections: how many, how slow, how long a head; and that the answer says which limit it was."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personalize_local.aws.http.certificate import make_certificate
from personalize_local.aws.http.connections import BoundedServer
from personalize_local.aws.http.request_limits import BoundedBodies, RequestLimits

HURRY = RequestLimits(grace_seconds=0.3, slowest_bytes_per_second=1024, connections=4, header_bytes=1000)


def service(environ: dict[str, Any], start: Any) -> list[bytes]:
    start("200 OK", [("Content-Length", "5")])
    return [str(len(environ["wsgi.input"].read())).rjust(5).encode()]


@contextlib.contextmanager
def serving(limits: RequestLimits, application: Any = service, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = BoundedServer("127.0.0.1", 0, limits, tls)
    server.app = BoundedBodies(application, limits)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    with serving(HURRY) as port:
        yield port


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def answer(sock: socket.socket) -> str:
    received = b""
    while part := sock.recv(65536):
        received += part
    return received.decode()


def test_a_request_in_time_is_answered(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert answer(sock).endswith("    3")


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\nhalf"]
)
def test_who_does_not_go_on_is_told_and_left(port: int, begun: bytes) -> None:
    began = time.monotonic()
    with connected(port) as sock:
        sock.sendall(begun)
        told = answer(sock)
    assert ("408" in told, "0.3 s" in told) == (True, True)
    assert time.monotonic() - began < 10


def test_who_drips_is_told_and_left(port: int) -> None:
    """A byte now and then keeps no thread for long: the patience is for the whole request."""
    began = time.monotonic()
    with connected(port) as sock, contextlib.suppress(OSError):  # broken pipe or reset, as the kernel likes
        for letter in b"GET /" + b"x" * 10_000:
            sock.sendall(bytes([letter]))
            time.sleep(0.01)
    assert time.monotonic() - began < 20


def test_a_head_beyond_the_limit_is_told_so(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 2000 + b"\r\n\r\n")
        told = answer(sock)
    assert ("431" in told, "1,000 bytes" in told) == (True, True)


def test_one_connection_too_many_is_told_so_and_room_comes_back() -> None:
    with serving(RequestLimits(grace_seconds=30, connections=4)) as port:
        held = [connected(port) for _ in range(4)]
        for sock in held:
            sock.sendall(b"GET")
        time.sleep(0.2)
        with connected(port) as sock:
            told = answer(sock)
        assert ("503" in told, "4 connections at once" in told) == (True, True)
        for sock in held:
            sock.close()
        deadline = time.monotonic() + 20
        while "200" not in (told := _asked(port)):
            assert time.monotonic() < deadline, told
            time.sleep(0.05)


def test_silent_connections_make_room_the_longest_silent_first() -> None:
    with serving(RequestLimits(grace_seconds=30, connections=3)) as port, contextlib.ExitStack() as open_ones:
        begun, *silent = (open_ones.enter_context(connected(port)) for _ in range(3))
        begun.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
        assert "200" in _asked(port)
        assert silent[0].recv(100) == b""
        silent[1].settimeout(0.1)
        with pytest.raises(TimeoutError):
            silent[1].recv(100)
        for sock, rest in ((begun, b"Host: x\r\n\r\n"), (silent[1], b"GET / HTTP/1.0\r\n\r\n")):
            sock.settimeout(20)
            sock.sendall(rest)
            assert "200" in answer(sock), "neither had to go"


def test_a_flood_of_silent_connections_keeps_nobody_waiting() -> None:
    with serving(RequestLimits(grace_seconds=30, connections=8)) as port, contextlib.ExitStack() as open_ones:
        began = time.monotonic()
        for _ in range(40):
            open_ones.enter_context(connected(port))
            assert "200" in _asked(port)
        assert time.monotonic() - began < 15


def test_silent_connections_make_room_before_and_after_they_shook_hands(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "authority.pem")
    trusted = ssl.create_default_context(cafile=str(certificate.authority))
    limits = RequestLimits(grace_seconds=30, connections=4)
    with serving(limits, tls=certificate.context) as port, contextlib.ExitStack() as open_ones:
        began = time.monotonic()
        for number in range(20):
            silent = connected(port)
            if number % 2:
                silent = trusted.wrap_socket(silent, server_hostname="localhost")
            open_ones.enter_context(silent)
            with trusted.wrap_socket(connected(port), server_hostname="localhost") as sock:
                sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert "200" in answer(sock)
        assert time.monotonic() - began < 15


def test_who_does_not_read_an_answer_keeps_no_place() -> None:
    def much(_environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", str(1 << 26))])
        return [bytes(1 << 26)]

    with serving(replace(HURRY, connections=1), much) as port, connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 20
        while "503" in (told := _begun(port)):
            assert time.monotonic() < deadline, told
            time.sleep(0.05)


def test_a_slow_reader_gets_its_whole_answer() -> None:
    def much(_environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", str(1 << 24))])
        return [bytes(1 << 24)]

    limits = replace(HURRY, grace_seconds=1.5)  # a reader on a busy machine may be held up for a second
    with serving(limits, much) as port, connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received, began = 0, time.monotonic()
        while part := sock.recv(1 << 20):
            received += len(part)
            if time.monotonic() - began < 2 * limits.grace_seconds:
                time.sleep(limits.grace_seconds / 20)
    assert received > 1 << 24


HOSTILE = {
    "silent": b"",
    "half a head": b"POST /recommendations HTTP/1.1\r\nHost: x\r\nX-",
    "half a body": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\nhalf",
    "a long head": b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 50_000,
    "no reading": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200,
    "nonsense": bytes(range(256)) * 4,
}


def test_hostile_clients_hold_up_nobody() -> None:
    """Every kind is there six times, and stays longer than the others need for all their answers."""
    limits = RequestLimits(grace_seconds=30, connections=100)
    with contextlib.ExitStack() as open_sockets, serving(limits) as port:
        for begun in [*HOSTILE.values()] * 6:
            open_sockets.enter_context(connected(port)).sendall(begun)
        began = time.monotonic()
        for _ in range(50):
            assert "200" in _asked(port)
        assert time.monotonic() - began < limits.grace_seconds


def _begun(port: int) -> str:
    """Return the beginning of what somebody else is answered."""
    try:
        with connected(port) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return sock.recv(100).decode(errors="replace")
    except ConnectionError:
        return "503"  # it was sent before we had sent


def _asked(port: int) -> str:
    try:
        with connected(port) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return answer(sock)
    except ConnectionError as error:
        return str(error)


def test_how_long_the_service_takes_is_not_held_against_the_client() -> None:
    def slow(environ: dict[str, Any], start: Any) -> list[bytes]:
        time.sleep(2 * HURRY.grace_seconds)
        return service(environ, start)

    server = BoundedServer("127.0.0.1", 0, HURRY)
    server.app = BoundedBodies(slow, HURRY)
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    with connected(server.server_port) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert answer(sock).endswith("    3")
    thread.join()
    server.server_close()


def test_a_connection_serves_one_request_after_another(port: int) -> None:
    with connected(port) as sock:
        stream = sock.makefile("rb")
        for body in (b"abc", b"", b"abcdefghi"):
            sock.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            head = b"".join(iter(stream.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 200")
            assert b"Connection: close" not in head
            assert int(stream.read(5)) == len(body)
        assert stream.read() == b""  # nothing more came for a while: closed, and no 408 about a request nobody sent


def test_a_second_request_that_stops_half_way_is_told(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        sock.sendall(b"GET / HTTP/1.1\r\n")
        assert "408" in answer(sock)


@pytest.mark.parametrize("head", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
def test_a_client_that_wants_one_answer_gets_one(head: bytes) -> None:
    with serving(RequestLimits(grace_seconds=30)) as port, connected(port) as sock:
        began = time.monotonic()
        sock.sendall(head)
        assert answer(sock).endswith("    0")
        assert time.monotonic() - began < 10


def test_no_connection_stays_when_places_are_few() -> None:
    limits = RequestLimits(grace_seconds=30, connections=4)
    with serving(limits) as port, contextlib.ExitStack() as open_ones:
        held = [open_ones.enter_context(connected(port)) for _ in range(3)]
        for sock in held:
            sock.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
        held[0].sendall(b"Host: x\r\n\r\n")
        assert "Connection: close" in answer(held[0])


def test_an_idle_connection_ends_with_the_server() -> None:
    with contextlib.ExitStack() as stack:
        with serving(RequestLimits(grace_seconds=30)) as port:
            sock = stack.enter_context(connected(port))
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        assert sock.recv(4096) == b""
