"""Programs that insist on HTTPS, or put a bucket's name into the host, are answered; strangers' hosts are not."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError

from personalize_local.aws.http.certificate import make_certificate
from personalize_local.aws.http.endpoint import Access
from personalize_local.aws.http.request_limits import RequestLimits
from personalize_local.personalize_server import PersonalizeServer

KEYS: dict[str, Any] = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trust") / "authority.pem"


@pytest.fixture(scope="module")
def secure(authority: Path) -> Iterator[PersonalizeServer]:
    limits = RequestLimits(grace_seconds=1)
    access = Access(("https://app.example",), limits, certificate=make_certificate(authority))
    with PersonalizeServer(port=0, access=access) as server:
        server.client("s3").create_bucket(Bucket="films")
        server.client("s3").put_object(Bucket="films", Key="a/b.txt", Body=b"reel")
        yield server


@pytest.fixture
def names_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let *.localhost mean this machine, as browsers, macOS and systemd have it and this system may not."""
    real: Any = socket.getaddrinfo

    def found(host: str, *rest: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host.endswith(".localhost") else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def _port(server: PersonalizeServer) -> int:
    return int(str(server.endpoint).rpartition(":")[2])


def test_a_client_that_trusts_the_authority_is_answered(secure: PersonalizeServer, authority: Path) -> None:
    assert str(secure.endpoint).startswith("https://127.0.0.1:")
    assert secure.environment["AWS_CA_BUNDLE"] == str(authority)
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{_port(secure)}"
        client = boto3.client("personalize", "us-east-1", endpoint_url=url, verify=str(authority), **KEYS)
        assert client.list_recipes()["recipes"]


def test_a_client_that_does_not_trust_it_refuses(secure: PersonalizeServer) -> None:
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.client("personalize", "us-east-1", endpoint_url=secure.endpoint, config=config, **KEYS)
    with pytest.raises(SSLError):
        client.list_recipes()


@pytest.mark.usefixtures("names_of_this_machine")
def test_a_buckets_name_before_the_host_is_certified_and_answered(secure: PersonalizeServer, authority: Path) -> None:
    config = Config(s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1})
    url = f"https://s3.localhost:{_port(secure)}"
    s3 = boto3.client("s3", "us-east-1", endpoint_url=url, verify=str(authority), config=config, **KEYS)
    assert s3.get_object(Bucket="films", Key="a/b.txt")["Body"].read() == b"reel"
    s3.put_object(Bucket="films", Key="c.txt", Body=b"cut")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="films")["Contents"]] == ["a/b.txt", "c.txt"]


@pytest.mark.parametrize("host", ["evil.example", "films.s3.amazonaws.com", "localhost.evil.example"])
def test_a_host_of_somebody_else_is_refused(secure: PersonalizeServer, authority: Path, host: str) -> None:
    trusted = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection("127.0.0.1", _port(secure), context=trusted)
    connection.request("GET", "/films/a/b.txt", headers={"Host": host})
    answer = connection.getresponse()
    assert answer.status == 403
    assert answer.getheader("Access-Control-Allow-Origin") is None
    connection.close()


@pytest.mark.parametrize(("page", "status"), [("https://app.example", 200), ("https://other.example", 403)])
def test_a_page_is_answered_when_it_was_named(
    secure: PersonalizeServer, authority: Path, page: str, status: int
) -> None:
    trusted = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection("localhost", _port(secure), context=trusted)
    connection.request("GET", "/films/a/b.txt", headers={"Origin": page, "Authorization": _SIGNED})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Access-Control-Allow-Origin")) == (status, page if status == 200 else None)
    connection.close()


def test_who_never_shakes_hands_holds_up_nobody(secure: PersonalizeServer, authority: Path) -> None:
    with socket.create_connection(("127.0.0.1", _port(secure))) as silent:
        test_a_client_that_trusts_the_authority_is_answered(secure, authority)
        silent.settimeout(5)
        assert silent.recv(1) == b""  # and is hung up on
    assert threading.active_count() < 50


_SIGNED = f"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature={'0' * 64}"
