"""Whatever the wire brings, the answer is a documented error: never a 500, never a traceback."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.core.request import Request
from werkzeug.test import EnvironBuilder

from personalize_local.personalize.protocol.responses import PersonalizeResponse
from personalize_local.personalize.protocol.wire import SERVICES, service_model
from tests.personalize_local.personalize.world import PREFIX, World, running

_OPERATIONS = [(service, name) for service in SERVICES for name in service_model(service).operation_names]
_ARNS = (
    f"{PREFIX}dataset-group/movies",
    f"{PREFIX}solution/taste",
    f"{PREFIX}solution/taste/$LATEST",
    f"{PREFIX}campaign/home",
    f"{PREFIX}dataset/movies/INTERACTIONS",
    "arn:aws:personalize:eu-west-1:999999999999:dataset-group/movies",
    "arn:aws:personalize:::recipe/aws-user-personalization",
    "arn:aws:personalize:::recipe/",
    "arn:aws:iam::123456789012:role/x",
    "arn:aws:s3:::bucket",
    "arn:aws:personalize:::::::",
    "arn",
)
_TEXT = st.text(max_size=12) | st.sampled_from(
    (*_ARNS, "s3://b/k", "x" * 300, "naïve-☃", "rate(7 days)", "INTERACTIONS")
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
_ANYTHING = st.recursive(
    _SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(_TEXT, parts, max_size=3), max_leaves=6
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(Path(tmp_path_factory.mktemp("fuzz"))) as made:
        group, version = made.make_trained()
        made.make_campaign(version)
        assert group
        yield made


def send(body: bytes, *, target: str | None = None, path: str = "/") -> tuple[int, dict[str, Any]]:
    """Send a raw request; return the status and the parsed body."""
    headers = {"Host": "personalize.us-east-1.amazonaws.com"} | ({"X-Amz-Target": target} if target else {})
    environ = EnvironBuilder(method="POST", path=path, data=body, headers=list(headers.items())).get_environ()
    request = Request(environ)
    status, _, answer = PersonalizeResponse.dispatch(request, request.url, request.headers)
    return status, json.loads(answer or "{}")


def _address(service: str, operation: str) -> dict[str, str]:
    if service == "personalize":
        return {"target": f"AmazonPersonalize.{operation}"}
    return {"path": service_model(service).operation_model(operation).http["requestUri"]}


def _nearly(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Draw values of the shape's type, for the most part."""
    if depth > 3:
        return _ANYTHING
    match shape:
        case StructureShape():
            members = {name: _nearly(member, depth + 1) for name, member in shape.members.items()}
            right: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
        case ListShape():
            right = st.lists(_nearly(shape.member, depth + 1), max_size=3)
        case MapShape():
            right = st.dictionaries(_TEXT, _nearly(shape.value, depth + 1), max_size=3)
        case _:
            right = _scalar(shape)
    return right if depth == 0 else st.one_of(right, right, right, _ANYTHING)


def _scalar(shape: Shape) -> st.SearchStrategy[Any]:
    match shape.type_name:
        case "string":
            return st.sampled_from(_ARNS) if shape.name.endswith("Arn") else _TEXT
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return st.integers(-(2**40), 2**40)
        case "timestamp":
            return st.floats(-1e18, 1e18) | st.sampled_from(("2024-01-01", "yesterday", 1e300))
    return st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("service", "operation"), _OPERATIONS)
def test_requests_nearly_right_are_never_a_500(
    world: World, service: str, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None
    declared = {each.name for each in service_model(service).operation_model(operation).error_shapes}
    undeclared = {"SerializationException", "ValidationException"}

    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(request=_nearly(shape))
    def refuses(request: Any) -> None:
        status, answer = send(json.dumps(request).encode(), **_address(service, operation))
        assert status < 500
        if status != 200:
            assert answer["__type"] in declared | undeclared
            assert "Traceback" not in answer["message"]

    with caplog.at_level(logging.ERROR):
        refuses()
    assert [record.message for record in caplog.records if "broke" in record.message] == []
    assert world.account


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=40) | _ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_get_a_documented_error(world: World, body: bytes) -> None:
    status, answer = send(body, target="AmazonPersonalize.CreateCampaign")
    assert (status, answer["__type"]) in {(400, "SerializationException"), (400, "InvalidInputException")}
    assert world.account


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"name": NaN}', "SerializationException"),
        (b'{"name": 7}', "SerializationException"),
        (b'{"name": true}', "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (b"", "InvalidInputException"),
        (json.dumps({"name": "n" * 64}).encode(), "InvalidInputException"),
        (json.dumps({"name": "name\n"}).encode(), "InvalidInputException"),
        (json.dumps({"name": "naïve"}).encode(), "InvalidInputException"),
        (json.dumps({"name": "x", "domain": "BOOKS"}).encode(), "InvalidInputException"),
    ],
)
def test_malformed_bodies(world: World, body: bytes, code: str) -> None:
    assert world.account
    status, answer = send(body, target="AmazonPersonalize.CreateDatasetGroup")
    assert (status, answer["__type"]) == (400, code)


def test_unknown_targets_and_paths(world: World) -> None:
    assert world.account
    assert send(b"{}", target="AmazonPersonalize.CreateEverything")[0] == 400
    assert send(b"{}", target="nonsense")[1]["__type"] == "UnknownOperationException"
    assert send(b"{}", path="/nowhere") == (404, {"__type": "UnknownOperationException", "message": ""})


def test_unknown_members_are_ignored_as_the_protocol_demands(world: World) -> None:
    """Fact: an awsJson1_1 server ignores members it does not know."""
    assert world.account
    status, _ = send(b'{"maxResults": 1, "colour": "red"}', target="AmazonPersonalize.ListSchemas")
    assert status == 200


def test_arns_of_another_region_or_account_are_not_found(world: World) -> None:
    for arn in (
        f"arn:aws:personalize:eu-west-1:{PREFIX.split(':')[4]}:campaign/home",
        "arn:aws:personalize:us-east-1:999999999999:campaign/home",
    ):
        body = json.dumps({"campaignArn": arn}).encode()
        assert send(body, target="AmazonPersonalize.DescribeCampaign")[1]["__type"] == "ResourceNotFoundException"
    body = json.dumps({"campaignArn": f"{PREFIX}solution/taste"}).encode()
    assert send(body, target="AmazonPersonalize.DescribeCampaign")[1]["__type"] == "InvalidInputException"
    assert world.account
