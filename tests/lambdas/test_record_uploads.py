"""The consumer of the queue, with DynamoDB and Step Functions as moto plays them."""

import importlib
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from lambdas.gateways.dynamodb import DynamoTable
from lambdas.uploads.ledger import Ledger
from tests.lambdas.gateways.test_dynamodb import make_table

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:{}"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "BUCKET_NAME": "bucket",
    "IMPORT_UPLOADS_ARN": MACHINE.format("import_uploads"),
    "LEDGER_DAYS": "30",
    "LEDGER_TABLE_NAME": "ledger",
    "PIPELINE_ARN": MACHINE.format("pipeline"),
    "POWERTOOLS_METRICS_NAMESPACE": "test",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "FORGET_USERS_ARN": MACHINE.format("forget_users"),
    "RUN_BATCH_INFERENCE_ARN": MACHINE.format("run_batch_inference"),
}


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the handler as Lambda does: with its environment, once the services are there."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        make_table(boto3.client("dynamodb"))
        for name in ("forget_users", "import_uploads", "pipeline", "run_batch_inference"):
            boto3.client("stepfunctions").create_state_machine(
                name=name, definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
            )
        importlib.reload(importlib.import_module("lambdas.wiring"))  # which keeps what it made in another environment
        yield importlib.reload(importlib.import_module("lambdas.record_uploads"))


def message(number: int, key: str, bucket: str = "bucket") -> dict[str, Any]:
    found = {"key": key, "size": 10, "etag": "e", "version-id": f"v{number}", "sequencer": "00"}
    body = {"time": "2026-11-20T12:00:00Z", "detail": {"bucket": {"name": bucket}, "object": found}}
    return {"messageId": str(number), "body": json.dumps(body), "eventSource": "aws:sqs"}


def handle(module: ModuleType, *messages: dict[str, Any]) -> list[str]:
    """Return the messages that are to come again."""
    answer = module.handler({"Records": list(messages)}, context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def context() -> LambdaContext:
    context = LambdaContext()
    context._function_name = context._invoked_function_arn = context._aws_request_id = "test"
    context._memory_limit_in_mb = 256
    return context


def executions(name: str) -> list[str]:
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=MACHINE.format(name))
    return [execution["name"] for execution in found["executions"]]


def test_good_messages_are_recorded_and_bad_ones_come_again(module: ModuleType) -> None:
    broken = {"messageId": "9", "body": "{", "eventSource": "aws:sqs"}
    again = handle(
        module,
        message(1, "uploads/movies/items/a b+ü.csv"),
        message(2, "uploads/movies/items/b.csv", bucket="another"),
        message(3, "uploads/movies/users/c.csv"),
        broken,
    )
    assert again == ["2", "9"]
    assert len(executions("import_uploads")) == 2
    rows = Ledger(DynamoTable(boto3.client("dynamodb"), "ledger")).unsettled("movies/items")
    assert [row.key for row in rows] == ["uploads/movies/items/a b+ü.csv"]


def test_many_files_of_a_dataset_wake_it_once(module: ModuleType) -> None:
    assert handle(module, *(message(number, f"uploads/movies/items/{number}.csv") for number in range(20))) == []
    assert len(executions("import_uploads")) == 1


def test_if_nobody_can_be_woken_the_messages_of_that_dataset_come_again(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = module.starter.announce

    def stumble(dataset_key: str) -> None:
        if dataset_key == "movies/users":
            raise ConnectionError("Step Functions is not there")
        announce(dataset_key)

    monkeypatch.setattr(module.starter, "announce", stumble)
    names = ("items/a.csv", "users/a.csv", "users/b.csv")
    messages = [message(number, f"uploads/movies/{name}") for number, name in enumerate(names)]
    assert handle(module, *messages) == ["1", "2"]
    monkeypatch.setattr(module.starter, "announce", announce)
    assert handle(module, *messages[1:]) == []
    assert len(executions("import_uploads")) == 2


def test_a_request_starts_the_pipeline_once(module: ModuleType) -> None:
    request = message(1, "requests/movies.json")
    assert handle(module, request, request) == []
    assert len(executions("pipeline")) == 1
