"""What a request asks leave for: IAM actions and the ARNs they are about, read from the request itself."""

import json
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.s3.responses import ACTION_MAP

from personalize_local.aws.current_cloud import ACCOUNT_ID, REGION

_PERSONALIZE = f"arn:aws:personalize:{REGION}:{ACCOUNT_ID}"


@dataclass(frozen=True)
class Leave:
    """One action on one resource, as IAM writes them; `passed_to` is the service that is handed a role."""

    action: str
    resource: str
    passed_to: str | None = None


@dataclass(frozen=True)
class Request:
    """The parts of an HTTP request that tell what it wants."""

    service: str  # as in the signature: "dynamodb", "s3", "states", "personalize"
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class UnreadableRequestError(Exception):
    """A request of which the local cloud cannot tell what it asks leave for."""


def asked_for(request: Request) -> Iterator[Leave]:
    """Yield everything a caller must be allowed for this request."""
    if request.service == "s3":
        yield from _of_s3(request)
        return
    if request.service == "sns":
        yield from _of_sns(dict(urllib.parse.parse_qsl(request.body.decode())))
        return
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    parameters = json.loads(request.body or b"{}")
    readers = {"dynamodb": _of_dynamodb, "states": _of_states, "personalize": _of_personalize}
    if not operation or request.service not in readers:
        raise UnreadableRequestError(f"{request.service}: {request.method} {request.path}")
    yield from readers[request.service](operation, parameters)


def _of_s3(request: Request) -> Iterator[Leave]:
    bucket, _, key = request.path.lstrip("/").partition("/")
    if not bucket:
        yield Leave("s3:ListAllMyBuckets", "*")
        return
    actions = ACTION_MAP["KEY" if key else "BUCKET"][request.method]
    found = next((name for word, name in actions.items() if word in request.query), actions.get("DEFAULT"))
    if found is None:
        raise UnreadableRequestError(f"s3: {request.method} {request.path}")
    yield Leave(f"s3:{found}", f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}")
    if source := request.headers.get("x-amz-copy-source"):
        name, _, version = urllib.parse.unquote(source).strip("/").partition("?versionId=")
        yield Leave("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{name}")


def _of_sns(parameters: Mapping[str, str]) -> Iterator[Leave]:
    if "Action" not in parameters:
        raise UnreadableRequestError("sns: a request without an action")
    yield Leave(f"sns:{parameters['Action']}", parameters.get("TopicArn") or parameters.get("TargetArn") or "*")


def _of_dynamodb(operation: str, parameters: Mapping[str, Any]) -> Iterator[Leave]:
    if operation.startswith("Transact"):
        for item in parameters["TransactItems"]:
            for kind, inner in item.items():
                yield from _of_dynamodb(f"{kind}Item", inner)
        return
    for table in parameters.get("RequestItems") or [parameters["TableName"]]:
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table}"
        index = parameters.get("IndexName")
        yield Leave(f"dynamodb:{operation}", f"{arn}/index/{index}" if index else arn)


def _of_states(operation: str, parameters: Mapping[str, Any]) -> Iterator[Leave]:
    yield Leave(f"states:{operation}", parameters.get("executionArn") or parameters.get("stateMachineArn") or "*")


def _of_personalize(operation: str, parameters: Mapping[str, Any]) -> Iterator[Leave]:
    if operation.startswith("List"):  # IAM knows no resource for these
        yield Leave(f"personalize:{operation}", "*")
        return
    noun = operation.removeprefix("Describe").removeprefix("Update").removeprefix("Delete").removeprefix("Get")
    yield Leave(f"personalize:{operation}", parameters.get(f"{noun[:1].lower()}{noun[1:]}Arn") or f"{_PERSONALIZE}:new")
    if role := parameters.get("roleArn"):
        yield Leave("iam:PassRole", role, passed_to="personalize.amazonaws.com")
    if parameters.get("tags"):
        yield Leave("personalize:TagResource", f"{_PERSONALIZE}:new")
