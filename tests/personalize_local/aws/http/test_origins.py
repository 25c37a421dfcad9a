"""Hosts, origins and sites: which requests of a browser are answered, and what is said to the others."""

import argparse
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from personalize_local.aws.http.endpoint import Access
from personalize_local.aws.http.origins import Origins, origin
from personalize_local.cloud import Cloud

PORT = 5000
FRIEND = "https://app.example"


def asked(environ: dict[str, str], *, allowed: tuple[str, ...] = ()) -> tuple[int, dict[str, str], bool]:
    """Return status and headers of the answer, and whether the service was asked at all."""
    reached: list[bool] = []
    begun: list[Any] = []

    def service(_: Any, start: Any) -> list[bytes]:
        reached.append(True)
        start("200 OK", [("Access-Control-Allow-Origin", "*"), ("content-security-policy", "script-src *")])
        return [b"answer"]

    whole = {"REQUEST_METHOD": "GET", "HTTP_HOST": f"127.0.0.1:{PORT}", **environ}
    list(Origins(service, PORT, allowed)(whole, lambda *answer: begun.append(answer)))
    return int(begun[0][0][:3]), dict(begun[0][1]), bool(reached)


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("127.0.0.1:5000", True),
        ("localhost:5000", True),
        ("LOCALHOST:5000", True),
        ("[::1]:5000", True),
        ("bucket.localhost:5000", True),
        ("", False),
        ("127.0.0.1", False),
        ("127.0.0.1:5001", False),
        ("evil.example:5000", False),
        ("127.0.0.1.evil.example:5000", False),
        ("evil-localhost:5000", False),
        ("localhost.:5000", False),
        ("s3.us-east-1.amazonaws.com", False),
        ("127.0.0.1:5000,evil.example", False),
        ("127.0.0.1:5000@evil.example", False),
    ],
)
def test_only_its_own_hosts_are_answered(host: str, *, answered: bool) -> None:
    status, _, reached = asked({"HTTP_HOST": host})
    assert (status == 200, reached) == (answered, answered)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
@pytest.mark.parametrize(
    "page",
    ["https://evil.example", "null", "http://127.0.0.1:8888", "https://127.0.0.1:5000", "http://x.localhost:5000"],
)
def test_foreign_pages_are_refused_whatever_they_send(page: str, method: str) -> None:
    preflight = {"REQUEST_METHOD": method, "HTTP_ORIGIN": page, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    status, headers, reached = asked(preflight, allowed=(FRIEND,))
    assert (status, reached) == (403, False)
    assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    ("site", "answered"), [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)]
)
def test_links_images_and_forms_of_other_sites_are_refused(site: str, *, answered: bool) -> None:
    """`same-site` too: a page of another port of this machine is another program's."""
    assert asked({"HTTP_SEC_FETCH_SITE": site})[2] is answered


def test_a_buckets_own_host_is_for_sdks_not_for_browsers() -> None:
    named = {"HTTP_HOST": f"bucket.localhost:{PORT}"}
    assert asked(named)[2]
    assert not asked({**named, "HTTP_SEC_FETCH_SITE": "none"})[2]
    assert not asked({**named, "HTTP_ORIGIN": f"http://localhost:{PORT}"})[2]


def test_no_answer_makes_an_origin_of_ours() -> None:
    """An HTML object in a bucket is shown in a sandbox, and only allowed origins read answers, whatever moto says."""
    _, headers, _ = asked({"HTTP_ORIGIN": f"http://localhost:{PORT}"})
    assert headers == {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}


def test_an_allowed_origin_gets_its_own_answers_only() -> None:
    preflight = {
        "REQUEST_METHOD": "OPTIONS",
        "HTTP_ORIGIN": FRIEND,
        "HTTP_SEC_FETCH_SITE": "cross-site",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization,x-amz-date",
        "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK": "true",
    }
    status, headers, reached = asked(preflight, allowed=(FRIEND,))
    assert (status, reached) == (204, False)
    assert headers["Access-Control-Allow-Origin"] == FRIEND
    assert headers["Access-Control-Allow-Headers"] == "authorization,x-amz-date"
    assert headers["Access-Control-Allow-Private-Network"] == "true"
    assert headers["Vary"] == "Origin"
    status, headers, reached = asked({"HTTP_ORIGIN": FRIEND, "REQUEST_METHOD": "POST"}, allowed=(FRIEND,))
    assert (status, reached, headers["Access-Control-Allow-Origin"]) == (200, True, FRIEND)
    assert not asked({"HTTP_ORIGIN": f"{FRIEND}.evil"}, allowed=(FRIEND,))[2]


@pytest.mark.parametrize("text", ["https://app.example", "http://LOCALHOST:3000", "http://[::1]:80", "http://10.0.0.1"])
def test_an_origin_is_written_as_browsers_write_it(text: str) -> None:
    assert origin(text) == text.lower()


@pytest.mark.parametrize("text", ["*", "null", "app.example", "https://app.example/", "https://a b", "ftp://x", ""])
def test_anything_else_is_no_origin(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no origin"):
        origin(text)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Return a cloud that one foreign origin may use."""
    with Cloud(access=Access((FRIEND,))) as running:
        yield running


def send(cloud: Cloud, method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, str]:
    host, port = cloud.endpoint.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261125/us-east-1/lambda/aws4_request, SignedHeaders=host"
}
HOSTILE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("OPTIONS", "/2015-03-31/functions", {"Access-Control-Request-Method": "POST"}),
    ("POST", "/2015-03-31/functions", SIGNED),
    ("POST", "/moto-api/reset", {}),
    ("POST", "/_local-cloud/throttle", {"Content-Type": "text/plain"}),
    ("PUT", "/stolen", {}),
    ("GET", "/", {}),
)


@pytest.mark.parametrize(("method", "path", "headers"), HOSTILE)
@pytest.mark.parametrize(
    "marks",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_nothing_of_a_foreign_page_arrives(
    cloud: Cloud, method: str, path: str, headers: dict[str, str], marks: dict[str, str]
) -> None:
    """The requests of the browser's test, without a browser."""
    status, text = send(cloud, method, path, {**headers, **marks}, '{"share": 1}' if method == "POST" else "")
    assert (status, "AccessDenied" in text) == (403, True)
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    in_force = json.loads(send(cloud, "GET", "/_local-cloud/state", {})[1])
    assert in_force["faults"]["throttledShares"] == {}


def test_an_allowed_origin_uses_the_cloud(cloud: Cloud) -> None:
    assert send(cloud, "GET", "/", {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"})[0] == 200


def test_an_absolute_address_does_not_hide_the_host(cloud: Cloud) -> None:
    assert send(cloud, "GET", "http://evil.example/", {"Host": cloud.endpoint.removeprefix("http://")})[0] == 403
