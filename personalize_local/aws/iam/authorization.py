"""Refuse what the policies of a handler's deployed role do not allow.

The endpoint cannot tell callers apart by signature, so a worker process signs with the name of its role for an access
key. Anything else (a person, a test, the command line) signs as the owner of the cloud and may do all.
"""

import io
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from personalize_local.aws.current_cloud import ACCOUNT_ID
from personalize_local.aws.iam.policy_conditions import UnsupportedPolicyError
from personalize_local.aws.iam.policy_evaluation import RequestContext, Statement, evaluate
from personalize_local.aws.iam.required_permissions import (
    RequiredPermission,
    SignedRequest,
    UnreadableRequestError,
    required_permissions,
)
from personalize_local.aws.iam.stored_policies import find_role, identity_statements

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/[^/]*/([^/]+)/aws4_request")


class Guard:
    """A WSGI application that asks the policies before it passes a handler's request on."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request, or refuse it with the words of IAM."""
        signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        statements = _statements_of(signed[1]) if signed else None
        if signed is None or statements is None:
            return self._application(environ, start_response)
        request = _read(environ, signed[2])
        refusal = refused(signed[1], request, statements)
        if refusal is not None:
            return _refuse(request, refusal, start_response)
        begun: list[tuple[Any, ...]] = []
        chunks = self._application(environ, lambda *answer: begun.append(answer))
        if begun[0][0].startswith("404") and hides_what_is_missing(request, statements):
            return _refuse(request, f"User: {signed[1]} may not know whether {request.path} exists", start_response)
        start_response(*begun[0])
        return chunks


def refused(role: str, request: SignedRequest, statements: Iterable[Statement]) -> str | None:
    """Return why a request is refused, in the words of IAM, or None when it is allowed."""
    try:
        for permission in required_permissions(request):
            if not is_allowed(permission, statements):
                return (
                    f"User: {role} is not authorized to perform: {permission.action} on resource: {permission.resource}"
                )
    except UnreadableRequestError as error:
        return f"The local cloud cannot tell what this request of {role} needs permission for: {error}"
    except UnsupportedPolicyError as error:
        return f"The local cloud cannot evaluate the policies of {role}: {error}"
    return None


def hides_what_is_missing(request: SignedRequest, statements: Iterable[Statement]) -> bool:
    """Tell whether S3 denies access to an object that is missing: who may not list a bucket is not told what it has."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    reads = request.service == "s3" and request.method in {"GET", "HEAD"} and key
    return bool(reads) and not is_allowed(RequiredPermission("s3:ListBucket", f"arn:aws:s3:::{bucket}"), statements)


def is_allowed(permission: RequiredPermission, statements: Iterable[Statement]) -> bool:
    """Tell whether a role's policies allow something: a statement must, and none may deny it."""
    keys = {"iam:PassedToService": permission.passed_to, "aws:SecureTransport": "true"}
    return evaluate(statements, RequestContext(permission.action, permission.resource, keys=keys)) == "allowed"


def _statements_of(access_key: str) -> tuple[Statement, ...] | None:
    """Return the statements of the role of that name, or None when there is no such role."""
    role = find_role(ACCOUNT_ID, name=access_key)
    return None if role is None else identity_statements(role)


def _read(environ: dict[str, Any], service: str) -> SignedRequest:
    body = b""
    if service != "s3":  # whose bodies are large, and say nothing about permissions
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
    return SignedRequest(
        service=service,
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query=dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers=dict(_headers(environ)),
        body=body,
    )


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-").lower(), value


def _refuse(request: SignedRequest, refusal: str, start_response: Callable[..., Any]) -> list[bytes]:
    if request.service == "s3":
        status, kind = "403 Forbidden", "application/xml"
        body = f"<Error><Code>AccessDenied</Code><Message>{refusal}</Message></Error>".encode()
    else:
        status, kind = "400 Bad Request", "application/x-amz-json-1.1"
        body = json.dumps({"__type": "AccessDeniedException", "message": refusal}).encode()
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [] if request.method == "HEAD" else [body]
