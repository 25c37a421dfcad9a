"""Signatures: botocore's are recognised, and no part of a signed request can be exchanged."""

import io
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest

from personalize_local.aws.http.signatures import is_signed

SECRET = "sesame"
ENDPOINT = "http://127.0.0.1:5000"
FUNCTION: dict[str, Any] = {
    "FunctionName": "f",
    "Role": "arn:aws:iam::123456789012:role/r",
    "Code": {"ZipFile": b"zip"},
}


def secret_of(access_key: str) -> str | None:
    return SECRET if access_key == "local" else None


def environ_of(service: str, operation: str, access_key: str = "local", secret: str = SECRET, **asked: Any) -> Any:
    """Return what werkzeug makes of the request that botocore would send."""
    session = botocore.session.get_session()
    session.set_credentials(access_key, secret)
    client = session.create_client(service, "us-east-1", endpoint_url=ENDPOINT)
    caught: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: Any) -> None:
        caught.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", catch)
    with pytest.raises(InterruptedError):
        getattr(client, operation)(**asked)
    return _environ(caught[0])


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    url = urlsplit(str(request.url))
    sent: Any = request.body or b""
    body = sent.read() if hasattr(sent, "read") else sent
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "RAW_URI": f"{url.path}?{url.query}" if url.query else url.path,
        "PATH_INFO": unquote(url.path),
        "HTTP_HOST": url.netloc,
        "wsgi.input": io.BytesIO(body.encode() if isinstance(body, str) else body),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode() if isinstance(value, bytes) else value
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = text
    return environ


@pytest.mark.parametrize(
    ("service", "operation", "asked"),
    [
        ("lambda", "create_function", FUNCTION),
        ("lambda", "get_function", {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:f"}),
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
        ("cloudformation", "create_stack", {"StackName": "s", "TemplateBody": "{}"}),
        ("stepfunctions", "list_state_machines", {}),
        ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "a b/ü"}),
        ("s3", "put_object", {"Bucket": "b", "Key": "a b/ü+.csv", "Body": b"x", "Metadata": {"k": "a  b"}}),
        ("s3", "get_bucket_versioning", {"Bucket": "b"}),
    ],
)
def test_what_botocore_signs_is_signed(service: str, operation: str, asked: dict[str, Any]) -> None:
    """A fact, told by a peer: botocore signs, we verify."""
    assert is_signed(environ_of(service, operation, **asked), secret_of)
    assert not is_signed(environ_of(service, operation, secret="guess", **asked), secret_of)
    assert not is_signed(environ_of(service, operation, access_key="test", **asked), secret_of)


@pytest.mark.parametrize(
    "forged",
    [
        {"REQUEST_METHOD": "DELETE"},
        {"RAW_URI": "/2015-03-31/functions/other"},
        {"RAW_URI": "/2015-03-31/functions?Action=DeleteFunction"},
        {"HTTP_HOST": "127.0.0.1:5001"},
        {"HTTP_X_AMZ_DATE": "20200101T000000Z"},
        {"wsgi.input": io.BytesIO(b"another body")},
        {"HTTP_X_AMZ_CONTENT_SHA256": "UNSIGNED-PAYLOAD", "wsgi.input": io.BytesIO(b"another body")},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=local/20261125/us-east-1/lambda/aws4_request"},
    ],
)
def test_no_part_of_a_signed_request_can_be_exchanged(forged: dict[str, Any]) -> None:
    environ = environ_of("lambda", "create_function", **FUNCTION)
    assert is_signed(environ, secret_of)
    assert not is_signed({**environ, **forged}, secret_of)


def test_a_signature_for_one_service_is_none_for_another() -> None:
    environ = environ_of("lambda", "create_function", **FUNCTION)
    environ["HTTP_AUTHORIZATION"] = environ["HTTP_AUTHORIZATION"].replace("/lambda/", "/iam/")
    assert not is_signed(environ, secret_of)


def test_a_body_is_there_for_the_service_afterwards() -> None:
    environ = environ_of("iam", "create_role", RoleName="r", AssumeRolePolicyDocument="{}")
    before = environ["wsgi.input"].getvalue()
    assert is_signed(environ, secret_of)
    assert environ["wsgi.input"].read() == before


@pytest.mark.parametrize("name", ["host", "x-amz-content-sha256"])
def test_what_must_be_signed_is_not_left_out(name: str) -> None:
    """Without a signed host or, for S3, a signed digest of the body there is nothing to believe."""
    environ = environ_of("s3", "list_buckets")
    header = environ["HTTP_AUTHORIZATION"]
    assert f"{name};" in header
    assert not is_signed({**environ, "HTTP_AUTHORIZATION": header.replace(f"{name};", "")}, secret_of)
