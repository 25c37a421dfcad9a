"""Verify Signature Version 4: whether a request was signed with a certain key, and with its secret.

How old a signature is does not count: nobody overhears a loopback interface without being this user already.
"""

import hashlib
import hmac
import io
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_CONTENT_HASH = "x-amz-content-sha256"


def is_signed(environ: dict[str, Any], secret_of: Callable[[str], str | None]) -> bool:
    """Tell whether a request is signed with an access key that has a secret: method, path, query, headers and body.

    S3's bodies are believed to have the digest that was signed, as they may be sent in signed pieces.
    """
    signed = _SIGNED.fullmatch(environ.get("HTTP_AUTHORIZATION", "").strip())
    secret = secret_of(signed["key"]) if signed else None
    if signed is None or secret is None:
        return False
    headers = {name: _header(environ, name) for name in signed["headers"].split(";")}
    is_s3 = signed["service"] == "s3"
    if "host" not in headers or (is_s3 and _CONTENT_HASH not in headers):
        return False
    body = b"" if is_s3 else _body(environ)
    if not is_s3 and headers.get(_CONTENT_HASH, "") not in {"", hashlib.sha256(body).hexdigest()}:
        return False
    signer = (_S3Signer if is_s3 else _Signer)(Credentials(signed["key"], secret), signed["service"], signed["region"])
    signature = signer.signature_of(_request(environ, headers, body), headers.get("x-amz-date", ""))
    return hmac.compare_digest(signature, signed["signature"])


class _Signer(SigV4Auth):
    """botocore's signer, made to sign exactly the headers that it is given."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers

    def signature_of(self, request: Any, timestamp: str) -> str:
        request.context["timestamp"] = timestamp
        return str(self.signature(self.string_to_sign(request, self.canonical_request(request)), request))


class _S3Signer(_Signer, S3SigV4Auth):
    """The same for S3, whose paths are signed as they are."""


def _request(environ: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Any:
    where = urlsplit(environ["RAW_URI"])._replace(scheme="http", netloc=headers["host"]).geturl()
    return AWSRequest(method=environ["REQUEST_METHOD"], url=where, headers=dict(headers), data=body)


def _header(environ: Mapping[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}", ""))


def _body(environ: dict[str, Any]) -> bytes:
    body: bytes = environ["wsgi.input"].read()  # all of it: the endpoint has bounded it, and holds it in memory
    environ["wsgi.input"] = io.BytesIO(body)
    return body
