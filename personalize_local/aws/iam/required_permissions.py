"""Read from a request which permissions it needs: IAM actions and the ARNs they are about."""

import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.s3.responses import ACTION_MAP

from personalize_local.aws.current_cloud import ACCOUNT_ID, REGION

_PERSONALIZE = f"arn:aws:personalize:{REGION}:{ACCOUNT_ID}"

# What a resource of Personalize belongs to (Service Authorization Reference: both types are required of its Create).
_PARENT_KEYS = ("solutionVersionArn", "solutionArn", "datasetArn", "datasetGroupArn")

# What a request needs that names a version (Amazon S3 User Guide, "Actions, resources, and condition keys").
_OF_VERSIONS = {
    "GetObject": "GetObjectVersion",
    "DeleteObject": "DeleteObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "PutObjectAcl": "PutObjectVersionAcl",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
}


@dataclass(frozen=True)
class RequiredPermission:
    """One action on one resource, as IAM writes them; `passed_to` is the service that is handed a role."""

    action: str
    resource: str
    passed_to: str | None = None


@dataclass(frozen=True)
class SignedRequest:
    """The parts of a signed HTTP request that tell which operation it calls, and on what."""

    service: str  # as in the signature: "dynamodb", "s3", "states", "personalize"
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class UnreadableRequestError(Exception):
    """A request of which the local cloud cannot tell which permissions it needs."""


def required_permissions(request: SignedRequest) -> Iterator[RequiredPermission]:
    """Yield every permission that the caller needs; raise UnreadableRequestError where that cannot be told."""
    if request.service == "s3":
        yield from _of_s3(request)
        return
    if request.service == "sns":
        yield from _of_sns(dict(urllib.parse.parse_qsl(request.body.decode())))
        return
    if request.service == "monitoring":
        yield RequiredPermission(f"cloudwatch:{_of_cloudwatch(request)}", "*")
        return
    if request.service == "scheduler":
        yield from _of_scheduler(request)
        return
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    parameters = json.loads(request.body or b"{}")
    readers = {
        "dynamodb": _of_dynamodb,
        "events": _of_events,
        "personalize": _of_personalize,
        "ssm": _of_ssm,
        "states": _of_states,
    }
    if not operation or request.service not in readers:
        raise UnreadableRequestError(f"{request.service}: {request.method} {request.path}")
    yield from readers[request.service](operation, parameters)


def _of_s3(request: SignedRequest) -> Iterator[RequiredPermission]:
    bucket, _, key = request.path.lstrip("/").partition("/")
    if not bucket:
        yield RequiredPermission("s3:ListAllMyBuckets", "*")
        return
    actions = ACTION_MAP["KEY" if key else "BUCKET"][request.method]
    action = next((name for word, name in actions.items() if word in request.query), actions.get("DEFAULT"))
    if action is None:
        raise UnreadableRequestError(f"s3: {request.method} {request.path}")
    if "versionId" in request.query:
        action = _OF_VERSIONS.get(action, action)
    yield RequiredPermission(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}")
    if source := request.headers.get("x-amz-copy-source"):
        name, _, version = urllib.parse.unquote(source).strip("/").partition("?versionId=")
        yield RequiredPermission("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{name}")


def _of_cloudwatch(request: SignedRequest) -> str:
    """Return the operation, in whichever of its three protocols the SDK speaks; reading metrics is about no ARN."""
    target = request.headers.get("x-amz-target", "").rpartition(".")[2]
    in_body = dict(urllib.parse.parse_qsl(request.body.decode(errors="ignore"))).get("Action", "")
    operation = target or request.path.rpartition("/")[2] or in_body
    if not operation:
        raise UnreadableRequestError(f"monitoring: {request.method} {request.path}")
    return operation


def _of_sns(parameters: Mapping[str, str]) -> Iterator[RequiredPermission]:
    if "Action" not in parameters:
        raise UnreadableRequestError("sns: a request without an action")
    yield RequiredPermission(
        f"sns:{parameters['Action']}", parameters.get("TopicArn") or parameters.get("TargetArn") or "*"
    )


def _of_scheduler(request: SignedRequest) -> Iterator[RequiredPermission]:
    """Read the operation off the path: its protocol is REST. Lists are about no ARN."""
    _, kind, name, *_ = (*request.path.split("/"), "", "")
    verbs = {"POST": "Create", "PUT": "Update", "GET": "Get", "DELETE": "Delete"}
    if kind not in ("schedules", "schedule-groups") or request.method not in verbs:
        raise UnreadableRequestError(f"scheduler: {request.method} {request.path}")
    noun = "Schedule" if kind == "schedules" else "ScheduleGroup"
    if not name:
        yield RequiredPermission(f"scheduler:List{noun}s", "*")
        return
    parameters = json.loads(request.body or b"{}")
    group = parameters.get("GroupName") or request.query.get("groupName", "default")
    about = f"schedule/{group}/{name}" if kind == "schedules" else f"schedule-group/{name}"
    yield RequiredPermission(
        f"scheduler:{verbs[request.method]}{noun}", f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:{about}"
    )
    if role := parameters.get("Target", {}).get("RoleArn"):
        yield RequiredPermission("iam:PassRole", role, passed_to="scheduler.amazonaws.com")


def _of_dynamodb(operation: str, parameters: Mapping[str, Any]) -> Iterator[RequiredPermission]:
    if operation.startswith("Transact"):
        for item in parameters["TransactItems"]:
            for kind, inner in item.items():
                yield from _of_dynamodb(f"{kind}Item", inner)
        return
    for table in parameters.get("RequestItems") or [parameters["TableName"]]:
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table}"
        index = parameters.get("IndexName")
        yield RequiredPermission(f"dynamodb:{operation}", f"{arn}/index/{index}" if index else arn)


def _of_events(operation: str, parameters: Mapping[str, Any]) -> Iterator[RequiredPermission]:
    buses = {entry.get("EventBusName", "default") for entry in parameters.get("Entries", ())}
    for bus in sorted(buses):
        arn = bus if bus.startswith("arn:") else f"arn:aws:events:{REGION}:{ACCOUNT_ID}:event-bus/{bus}"
        yield RequiredPermission(f"events:{operation}", arn)
    if not buses:
        yield RequiredPermission(f"events:{operation}", "*")


def _of_ssm(operation: str, parameters: Mapping[str, Any]) -> Iterator[RequiredPermission]:
    """Read the parameters, or the path that they lie below; who may ask for a path may have all that is below it."""
    names = parameters.get("Names") or [parameters[key].rstrip("/") for key in ("Name", "Path") if key in parameters]
    for name in names or ["*"]:
        parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter/{name.lstrip('/')}"
        yield RequiredPermission(f"ssm:{operation}", parameter if names else "*")


def _of_states(operation: str, parameters: Mapping[str, Any]) -> Iterator[RequiredPermission]:
    yield RequiredPermission(
        f"states:{operation}", parameters.get("executionArn") or parameters.get("stateMachineArn") or "*"
    )


def _of_personalize(operation: str, parameters: Mapping[str, Any]) -> Iterator[RequiredPermission]:
    if "resourceArn" in parameters:  # the tags of one resource
        yield RequiredPermission(f"personalize:{operation}", str(parameters["resourceArn"]))
        return
    if operation.startswith("List"):  # IAM knows no resource for these
        yield RequiredPermission(f"personalize:{operation}", "*")
        return
    arns = _arns_of_personalize(operation, parameters)
    yield from (RequiredPermission(f"personalize:{operation}", arn) for arn in arns)
    if role := parameters.get("roleArn"):
        yield RequiredPermission("iam:PassRole", role, passed_to="personalize.amazonaws.com")
    if parameters.get("tags"):
        yield RequiredPermission("personalize:TagResource", arns[0])


def _arns_of_personalize(operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return what an operation is about: one resource, or what a Create makes and what that belongs to."""
    if not operation.startswith("Create"):
        noun = re.sub("^(Delete|Describe|Start|Stop|Update)", "", operation)
        arns = [str(value) for key, value in parameters.items() if key.endswith("Arn")]
        return [str(parameters.get(f"{noun[:1].lower()}{noun[1:]}Arn") or next(iter(arns), f"{_PERSONALIZE}:none"))]
    noun = operation.removeprefix("Create")
    kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()
    parent = next((str(parameters[key]) for key in _PARENT_KEYS if key in parameters), None)
    made = {
        "Dataset": f"dataset/{str(parent).rpartition('/')[2]}/{str(parameters.get('datasetType')).upper()}",
        "EventTracker": "event-tracker/new",
    }.get(noun, f"{kebab}/{parameters.get('name') or parameters.get('jobName')}")
    own = [] if noun == "SolutionVersion" else [f"{_PERSONALIZE}:{made}"]  # which IAM knows as its solution
    return [*own, parent] if parent else own
