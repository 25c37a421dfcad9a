"""What the Step Functions API answers."""

import itertools
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeMachine, RunStates

ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
TEXT = {"Say": {"Type": "Pass", "Result": "words", "End": True}}


@pytest.fixture
def sfn(aws: Cloud) -> Any:
    return aws.client("stepfunctions")


def test_an_output_that_is_a_text_keeps_its_quotes(sfn: Any, run: RunStates) -> None:
    assert sfn.describe_execution(executionArn=run(TEXT).arn)["output"] == '"words"'


def test_plain_moto_takes_the_quotes_off(sfn: Any, run: RunStates) -> None:
    arn = run(TEXT).arn
    with moto_as_shipped("StepFunctionResponse.describe_execution"):
        assert sfn.describe_execution(executionArn=arn)["output"] == "words"


def timed_out(aws: Cloud, machine: MakeMachine) -> str:
    """Return a machine with one execution, which timed out."""
    states = {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}
    arn = machine({"StartAt": "Wait", "States": states, "TimeoutSeconds": 1})
    assert aws.run(arn, {}).status == "TIMED_OUT"
    return arn


def test_an_execution_that_timed_out_has_a_stop_date(aws: Cloud, sfn: Any, machine: MakeMachine) -> None:
    arn = timed_out(aws, machine)
    assert "stopDate" in sfn.list_executions(stateMachineArn=arn)["executions"][0]
    with moto_as_shipped("StepFunctionResponse.list_executions"):
        assert "stopDate" not in sfn.list_executions(stateMachineArn=arn)["executions"][0]


def test_executions_are_listed_by_status_newest_first_in_pages(aws: Cloud, sfn: Any, machine: MakeMachine) -> None:
    arn = machine(ECHO)
    started = [aws.run(arn, {}).arn for _ in range(5)]
    pages = sfn.get_paginator("list_executions").paginate(
        stateMachineArn=arn, statusFilter="SUCCEEDED", PaginationConfig={"PageSize": 2}
    )
    listed = [[one["executionArn"] for one in page["executions"]] for page in pages]
    assert [len(page) for page in listed] == [2, 2, 1]
    assert list(itertools.chain(*listed)) == started[::-1]
    assert sfn.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"] == []


def stopped(sfn: Any, machine: MakeMachine) -> dict[str, Any]:
    """Return the description of an execution that was stopped with a reason."""
    arn = machine({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}})
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    sfn.stop_execution(executionArn=execution, error="Operator", cause="enough")
    return dict(sfn.describe_execution(executionArn=execution))


def test_why_an_execution_was_stopped_is_kept(sfn: Any, machine: MakeMachine) -> None:
    described = stopped(sfn, machine)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Operator", "enough")


def test_plain_moto_forgets_it(sfn: Any, machine: MakeMachine) -> None:
    with moto_as_shipped("StepFunctionResponse.stop_execution"):
        assert "error" not in stopped(sfn, machine)


def test_a_history_comes_in_pages_from_either_end(sfn: Any, run: RunStates) -> None:
    arn = run(TEXT).arn
    whole = sfn.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in whole] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    first = sfn.get_execution_history(executionArn=arn, maxResults=3, reverseOrder=True)
    rest = sfn.get_execution_history(executionArn=arn, maxResults=3, reverseOrder=True, nextToken=first["nextToken"])
    assert first["events"] + rest["events"] == whole[::-1]
    assert "nextToken" not in rest


def test_plain_moto_ignores_pages(sfn: Any, run: RunStates) -> None:
    arn = run(TEXT).arn
    with moto_as_shipped("StepFunctionResponse.get_execution_history"):
        assert len(sfn.get_execution_history(executionArn=arn, maxResults=1)["events"]) == 4


def test_a_token_of_no_page_is_refused(sfn: Any, run: RunStates) -> None:
    with pytest.raises(ClientError, match="InvalidToken"):
        sfn.get_execution_history(executionArn=run(TEXT).arn, nextToken="somewhere")


def fail_a_waiting_task(aws: Cloud, machine: MakeMachine) -> str | None:
    """Run a task that waits for its token, fail it by the API, and return the cause the execution ended with."""
    aws.client("sqs").create_queue(QueueName="tokens")
    parameters = {
        "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/tokens",
        "MessageBody.$": "$$.Task.Token",
    }
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    ask = {"Type": "Task", "Resource": resource, "Parameters": parameters, "HeartbeatSeconds": 30, "End": True}
    arn = aws.start(machine({"StartAt": "Ask", "States": {"Ask": ask}}), {})
    sqs, url = aws.client("sqs"), parameters["QueueUrl"]
    deadline = time.monotonic() + 60
    while not (messages := sqs.receive_message(QueueUrl=url).get("Messages", [])):
        assert time.monotonic() < deadline
    sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    aws.client("stepfunctions").send_task_failure(taskToken=messages[0]["Body"], error="No", cause="because")
    return aws.wait(arn).cause


def test_the_cause_of_a_failed_task_arrives(aws: Cloud, machine: MakeMachine) -> None:
    assert fail_a_waiting_task(aws, machine) == "because"


def test_plain_moto_drops_the_cause(aws: Cloud, machine: MakeMachine) -> None:
    with moto_as_shipped("StepFunctionResponse.send_task_failure"):
        assert fail_a_waiting_task(aws, machine) != "because"
