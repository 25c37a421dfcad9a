"""RequestLimits on bodies: one, all of them together, in chunks, and compressed."""

import gzip
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.responses import BaseResponse

from personalize_local.aws import installation
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.http.request_limits import UNPACKED_BYTES, BoundedBodies, RequestLimits

installation.install()
LIMITS = RequestLimits(body_bytes=100, bodies_bytes=150)


class Service:
    """A WSGI application that tells what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        self.bodies.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start("200 OK", [])
        yield b"answer"


def send(bounded: BoundedBodies, body: bytes, length: str | None = None, **environ: Any) -> tuple[str, str, Any]:
    """Return the status, the text when it is an error, and the open answer."""
    begun: list[Any] = []
    sent = {
        "REQUEST_METHOD": "PUT",
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = bounded(sent, lambda *told: begun.append(told))
    text = b"".join(answer).decode() if not hasattr(answer, "close") else next(iter(answer)).decode()
    return begun[0][0][:3], text, answer


def chunked(body: bytes, **environ: Any) -> dict[str, Any]:
    return {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        **environ,
    }


def test_a_body_within_the_limit_arrives() -> None:
    service = Service()
    assert send(BoundedBodies(service, LIMITS), b"x" * 100)[0] == "200"
    assert send(BoundedBodies(service, LIMITS), b"", **chunked(b"y" * 100))[0] == "200"
    assert service.bodies == [b"x" * 100, b"y" * 100]


@pytest.mark.parametrize("how", [{}, chunked(b"x" * 101)])
def test_a_body_beyond_the_limit_is_told_which(how: dict[str, Any]) -> None:
    service = Service()
    status, text, _ = send(BoundedBodies(service, LIMITS), b"x" * 101, **how)
    assert (status, "a body may have 100 bytes" in text, "--max-body-mib" in text) == ("413", True, True)
    assert service.bodies == []


def test_a_body_that_is_only_announced_is_refused_before_it_is_read() -> None:
    assert send(BoundedBodies(Service(), LIMITS), b"", length="9" * 30)[0] == "413"


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "\u0664"])  # the last is a digit, elsewhere
def test_a_length_that_is_none_is_refused(length: str) -> None:
    assert send(BoundedBodies(Service(), LIMITS), b"x", length=length)[0] == "400"


def test_all_bodies_together_are_bounded_until_their_answers_are_over() -> None:
    bounded = BoundedBodies(Service(), LIMITS)
    status, _, first = send(bounded, b"x" * 100)
    assert status == "200"
    status, text, _ = send(bounded, b"x" * 51)
    assert (status, "SlowDown" in text, "150 bytes together" in text) == ("503", True, True)
    first.close()
    assert send(bounded, b"x" * 51)[0] == "200"


def test_what_fails_holds_no_room() -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError

    bounded = BoundedBodies(broken, LIMITS)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            send(bounded, b"x" * 100)
        with pytest.raises(ConnectionError):
            send(bounded, b"half", length="100")


def packed(size_bytes: int) -> Any:
    """Return a moto request with a body of zeros, compressed to a thousandth."""
    stream = io.BytesIO(gzip.compress(bytes(size_bytes)))
    request = SimpleNamespace(content_encoding="gzip", stream=stream)
    request.get_data = lambda **_: setattr(request, "data", request.stream.read())
    return request


def test_a_small_body_does_not_unpack_to_a_large_one() -> None:
    response = BaseResponse("cloudwatch")
    bomb = packed(UNPACKED_BYTES + 1)
    response.decompress_request_body(bomb)
    assert len(bomb.data) == UNPACKED_BYTES
    honest = packed(1000)
    response.decompress_request_body(honest)
    assert len(honest.data) == 1000


def test_moto_unpacks_whatever_comes() -> None:
    with moto_as_shipped("BaseResponse.decompress_request_body"):
        bomb = packed(UNPACKED_BYTES + 1)
        BaseResponse("cloudwatch").decompress_request_body(bomb)
    assert len(bomb.data) == UNPACKED_BYTES + 1
