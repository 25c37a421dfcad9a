"""Every operation in botocore's model of Step Functions is answered, and never with HTTP 500."""

import http.client
import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StringShape, StructureShape

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.stepfunctions.states_operations import NOT_OFFERED
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeMachine

MODEL = botocore.session.get_session().get_service_model("stepfunctions")
SIGNED = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=x"
PASS = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}


def ask(aws: Cloud, operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send a request past boto3's own checks; return the status and the answer."""
    headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}", "Authorization": SIGNED}
    headers["Content-Type"] = "application/x-amz-json-1.0"
    connection = http.client.HTTPConnection(aws.endpoint.removeprefix("http://"), timeout=30)
    try:
        connection.request("POST", "/", json.dumps(parameters), headers)
        answer = connection.getresponse()
        assert answer.status != 500, f"{operation} {parameters}"
        return answer.status, json.load(answer)
    finally:
        connection.close()


def smallest(shape: Shape | None) -> Any:
    """Return the smallest value that fits a shape of the model."""
    if isinstance(shape, StructureShape):
        return {name: smallest(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, ListShape):
        return [smallest(shape.member)]
    assert shape is not None
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "x" * int(shape.metadata.get("min", 1))
    return {"boolean": False, "map": {}}.get(shape.type_name, 1)


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_every_operation_is_answered(aws: Cloud, operation: str) -> None:
    shape = MODEL.operation_model(operation).input_shape
    code, answer = ask(aws, operation, smallest(shape))
    assert code == 200 or (400 <= code < 500 and answer["__type"] and answer["message"])
    if operation in NOT_OFFERED:
        assert (code, answer["__type"]) == (400, "UnknownOperationException")
        assert operation in answer["message"]
    else:
        assert answer.get("__type") != "UnknownOperationException"
    if shape and shape.required_members:
        code, answer = ask(aws, operation, {})
        assert code == 400
        assert answer["__type"] in {"ValidationException", "UnknownOperationException"}


def test_an_operation_that_step_functions_does_not_have_is_unknown(aws: Cloud) -> None:
    assert ask(aws, "FlyToTheMoon", {})[1]["__type"] == "UnknownOperationException"


def test_plain_moto_has_no_answer(aws: Cloud) -> None:
    with moto_as_shipped("stepfunctions.urls.url_paths"), pytest.raises(NotImplementedError, match="redrive_execution"):
        aws.client("stepfunctions").redrive_execution(executionArn="arn:aws:states:us-east-1:1:execution:m:n")


def test_the_machine_of_an_execution_is_as_it_was(aws: Cloud, machine: MakeMachine) -> None:
    sfn, arn = aws.client("stepfunctions"), machine(PASS)
    run = aws.run(arn, {})
    sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps({**PASS, "Comment": "new"}))
    described = sfn.describe_state_machine_for_execution(executionArn=run.arn)
    assert json.loads(described["definition"]) == PASS
    assert described["stateMachineArn"] == arn
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
        sfn.describe_state_machine_for_execution(executionArn=f"{run.arn}-gone")


def test_a_definition_is_checked_without_making_a_machine(aws: Cloud) -> None:
    sfn = aws.client("stepfunctions")
    assert sfn.validate_state_machine_definition(definition=json.dumps(PASS))["result"] == "OK"
    broken = {"StartAt": "Nowhere", "States": PASS["States"]}
    answer = sfn.validate_state_machine_definition(definition=json.dumps(broken))
    assert answer["result"] == "FAIL"
    assert [found["code"] for found in answer["diagnostics"]] == ["MISSING_TRANSITION_TARGET"]


def test_machines_are_listed_in_pages(aws: Cloud, machine: MakeMachine) -> None:
    made = {machine(PASS) for _ in range(5)}
    pages = list(
        aws.client("stepfunctions").get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
    )
    listed = [one["stateMachineArn"] for page in pages for one in page["stateMachines"]]
    assert all(len(page["stateMachines"]) <= 2 for page in pages)
    assert len(listed) == len(set(listed))
    assert made <= set(listed)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "ValidationException"),
        ({"stateMachineArn": "here", "mapRunArn": "there"}, "ValidationException"),
        ({"mapRunArn": "arn:aws:states:us-east-1:123456789012:mapRun:m/x:y"}, "ResourceNotFound"),
        ({"stateMachineArn": "here", "statusFilter": "PENDING_REDRIVE"}, "ValidationException"),
        ({"stateMachineArn": "here", "nextToken": "made up"}, "InvalidToken"),
    ],
)
def test_bad_lists_of_executions_are_refused(
    aws: Cloud, machine: MakeMachine, asked: dict[str, Any], code: str
) -> None:
    here = {name: machine(PASS) if value == "here" else value for name, value in asked.items()}
    with pytest.raises(ClientError, match=code):
        aws.client("stepfunctions").list_executions(**here)


def test_only_what_exists_can_be_tagged(aws: Cloud, machine: MakeMachine) -> None:
    sfn, arn = aws.client("stepfunctions"), machine(PASS)
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "ours"}])
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "ours"}]
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.tag_resource(resourceArn=f"{arn}-gone", tags=[{"key": "team", "value": "ours"}])


def test_the_documentation_names_what_is_not_offered() -> None:
    text = (Path(__file__).parents[4] / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert all(f"`{operation}`" in text for operation in NOT_OFFERED)
