"""Direct calls: the same answers as by moto's way, and only what an SDK signs is answered directly."""

import io
import json
from typing import Any

import pytest

from personalize_local.aws.http.open_services import OpenServices
from personalize_local.personalize.protocol.direct_calls import DirectCalls
from personalize_local.personalize_server import PersonalizeServer

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/personalize/aws4_request, SignedHeaders=host, Signature=0"
CAMPAIGN = "arn:aws:personalize:us-east-1:123456789012:campaign/none"


def asked(application: Any, path: str, body: bytes, **headers: str) -> tuple[str, str, dict[str, Any]]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json", "RAW_URI": path, "REQUEST_URI": path, "HTTP_AUTHORIZATION": SIGNED,
        **headers,
    }  # fmt: skip
    told: list[Any] = []
    parts = application(environ, lambda status, head, *_: told.append((status, dict(head))))
    content = b"".join(parts)
    status, head = told[0]
    return status.split()[0], head["Content-Type"], json.loads(content)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/recommendations", json.dumps({"campaignArn": CAMPAIGN, "userId": "u"}).encode()),
        ("/recommendations", json.dumps({"campaignArn": "x" * 400}).encode()),
        ("/recommendations", b"["),
        ("/personalize-ranking", json.dumps({"campaignArn": CAMPAIGN, "userId": "u", "inputList": ["i"]}).encode()),
        ("/events", json.dumps({"trackingId": "t", "sessionId": "s", "eventList": []}).encode()),
    ],
)
def test_an_answer_is_the_one_of_motos_way(path: str, body: bytes) -> None:
    def never(*_: Any) -> Any:
        pytest.fail("it was not answered directly")

    with PersonalizeServer():
        direct, by_moto = asked(DirectCalls(never), path, body), asked(OpenServices(), path, body)
    assert direct == by_moto
    assert direct[0] in {"400", "404"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/_local-cloud/clock", {}),
        ("/recommendations", {"HTTP_AUTHORIZATION": ""}),
        ("/recommendations", {"HTTP_AUTHORIZATION": SIGNED.replace("/personalize/", "/s3/")}),
        ("/recommendations", {"HTTP_ORIGIN": "http://localhost:3000"}),
        ("/recommendations", {"HTTP_CONTENT_ENCODING": "gzip"}),
        ("/recommendations", {"REQUEST_METHOD": "OPTIONS"}),
    ],
)
def test_all_else_is_passed_on(path: str, headers: dict[str, str]) -> None:
    passed: list[str] = []

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        passed.append(environ["PATH_INFO"])
        start("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    asked(DirectCalls(application), path, b"{}", **headers)
    assert passed == [path]


def test_a_region_that_there_is_not_is_refused_as_by_motos_way() -> None:
    elsewhere = {"HTTP_AUTHORIZATION": SIGNED.replace("us-east-1", "mars-north-1")}
    body = json.dumps({"campaignArn": CAMPAIGN, "userId": "u"}).encode()
    with PersonalizeServer():
        status, _, told = asked(DirectCalls(OpenServices()), "/recommendations", body, **elsewhere)
    assert (status, told["__type"]) == ("403", "InvalidSignatureException")
