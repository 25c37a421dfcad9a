"""What a cloud that stays up keeps: as much as AWS does, for as long."""

import gc
import json
import pickle
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.utils import TMP_THREADS

from personalize_local.aws import current_cloud, retention
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.sqs import queues
from personalize_local.aws.stepfunctions import execution_worker
from personalize_local.aws.stepfunctions.executions import find_execution
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine
from tests.personalize_local.aws.lambda_.test_functions import SOURCE, invoke

ECHO = {
    "StartAt": "Echo",
    "States": {"Echo": {"Type": "Pass", "Next": "Again"}, "Again": {"Type": "Pass", "End": True}},
}


@pytest.fixture
def sfn(aws: Cloud) -> Any:
    return aws.client("stepfunctions")


def in_memory(kind: type) -> int:
    """Return how many instances there are."""
    gc.collect()
    return sum(isinstance(found, kind) for found in gc.get_objects())


def test_an_ended_execution_keeps_its_history_and_nothing_of_what_ran_it(
    aws: Cloud, sfn: Any, machine: MakeMachine
) -> None:
    arn = machine(ECHO)
    before = in_memory(Environment)
    runs = [aws.run(arn, {"number": number}) for number in range(5)]
    deadline = time.monotonic() + 30
    while in_memory(Environment) != before:  # their threads are at their last lines
        assert time.monotonic() < deadline
    history = sfn.get_execution_history(executionArn=runs[0].arn)["events"]
    assert [event["type"] for event in history] == [
        "ExecutionStarted",
        *["PassStateEntered", "PassStateExited"] * 2,
        "ExecutionSucceeded",
    ]
    described = sfn.describe_execution(executionArn=runs[0].arn)
    assert (described["input"], described["output"]) == ('{"number": 0}', '{"number": 0}')


def test_a_history_is_kept_compressed(aws: Cloud, machine: MakeMachine) -> None:
    run = aws.run(machine(ECHO), {"text": "once upon a time " * 500})
    execution = find_execution(run.arn)
    execution.finished.wait(5)
    execution.pack()  # as its thread does at this moment
    assert execution._packed is not None
    assert len(pickle.dumps(execution._packed)) < len(pickle.dumps(execution.events())) / 5
    assert execution.transitions() == 2


def test_a_parent_remembers_only_children_that_run(aws: Cloud, machine: MakeMachine) -> None:
    long = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}}
    parent = find_execution(aws.start(machine(long), {}))
    children = [find_execution(aws.run(machine(ECHO), {}).arn) for _ in range(3)]
    for child in children:
        parent.adopt(child)
    assert parent._children == children[-1:]
    parent.stop(CLOCK.now(), None, None)


def test_threads_that_have_ended_are_forgotten(
    aws: Cloud, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_worker, "THREADS_WORTH_FORGETTING", 5)
    arn = machine(ECHO)
    for _ in range(20):
        aws.run(arn, {})
    assert len(TMP_THREADS) < 20


def test_an_execution_is_forgotten_after_ninety_days(aws: Cloud, sfn: Any, machine: MakeMachine) -> None:
    """Fact: "Execution history retention time: 90 days"; after that its name can be used again."""
    arn = machine(ECHO)
    ended = aws.wait(aws.start(arn, {}, name="again")).arn
    running = aws.start(machine({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 8**9, "End": True}}}), {})
    find_execution(ended).finished.wait(5)
    retention.forget(CLOCK.now() + timedelta(days=89))
    assert sfn.describe_execution(executionArn=ended)["status"] == "SUCCEEDED"
    retention.forget(CLOCK.now() + timedelta(days=91))
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
        sfn.describe_execution(executionArn=ended)
    assert sfn.list_executions(stateMachineArn=arn)["executions"] == []
    assert sfn.describe_execution(executionArn=running)["status"] == "RUNNING"
    assert aws.wait(aws.start(arn, {}, name="again")).status == "SUCCEEDED"
    sfn.stop_execution(executionArn=running)


def test_a_log_group_forgets_what_is_older_than_its_retention(aws: Cloud, function: MakeFunction) -> None:
    logs = aws.client("logs")
    kept, forgotten = function(SOURCE), function(SOURCE)
    for name in (kept, forgotten):
        invoke(aws, name)
    logs.put_retention_policy(logGroupName=f"/aws/lambda/{forgotten}", retentionInDays=7)
    retention.forget(CLOCK.now() + timedelta(days=6))
    assert logs.filter_log_events(logGroupName=f"/aws/lambda/{forgotten}")["events"]
    retention.forget(CLOCK.now() + timedelta(days=8))
    assert logs.filter_log_events(logGroupName=f"/aws/lambda/{forgotten}")["events"] == []
    assert logs.filter_log_events(logGroupName=f"/aws/lambda/{kept}")["events"]
    (stream,) = logs.describe_log_streams(logGroupName=f"/aws/lambda/{forgotten}")["logStreams"]
    assert stream["storedBytes"] == 0


def test_log_events_are_written_at_the_simulated_time(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    CLOCK.go_on_from(CLOCK.time() + 30 * 86_400)
    invoke(aws, name)
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert abs(events[0]["timestamp"] / 1000 - CLOCK.time()) < 86_400
    with moto_as_shipped("logs.models.utcnow"):
        invoke(aws, name)  # and moto finds it too far in the future
    assert len(aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]) == len(events)


def test_a_message_that_nobody_receives_is_forgotten(aws: Cloud) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="unread", Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="old")
    CLOCK.go_on_from(CLOCK.time() + 3601)
    sqs.send_message(QueueUrl=url, MessageBody="new")
    retention.forget(CLOCK.now())
    queue = sqs_backends[current_cloud.ACCOUNT_ID][current_cloud.REGION].queues["unread"]
    assert [message.body for message in queue._messages] == ["new"]


def test_a_queue_remembers_some_handles_of_deleted_messages(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "HANDLES_REMEMBERED", 5)
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="busy")["QueueUrl"]
    for number in range(20):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        for _ in range(2):  # deleting again does nothing
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    queue: Any = sqs_backends[current_cloud.ACCOUNT_ID][current_cloud.REGION].queues["busy"]
    assert (len(queue._deleted), len(queue.deleted_messages), len(queue._by_handle)) == (5, 0, 0)


@pytest.mark.usefixtures("aws")
def test_a_day_makes_the_cloud_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    monkeypatch.setattr(retention, "FORGETTERS", (lambda now: asked.update([now.date().isoformat()]),))
    for _ in range(3):
        CLOCK.go_on_from(CLOCK.time() + 86_400)
        CLOCK.wait(0.6 * CLOCK.speed)
    assert len(asked) == 3, json.dumps(asked)
    assert set(asked.values()) == {1}
