"""Rules: who gets which events, and what becomes of those nobody takes."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.events import targets
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine

PATTERN = json.dumps({"source": ["tests"], "detail": {"kind": [{"prefix": "wanted"}]}})


@pytest.fixture
def events(aws: Cloud) -> Any:
    return aws.client("events")


def queue(aws: Cloud, name: str) -> str:
    aws.client("sqs").create_queue(QueueName=name)
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def bodies(name: str) -> list[Any]:
    return [json.loads(message.body) for message in sqs_backends["123456789012"]["us-east-1"].queues[name]._messages]


def put(aws: Cloud, **detail: Any) -> None:
    entry = {"Source": "tests", "DetailType": "Test", "Detail": json.dumps(detail)}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    aws.quiesce()


def rule(events: Any, name: str, *targets: dict[str, Any], **settings: Any) -> None:
    events.put_rule(Name=name, **({"EventPattern": PATTERN} | settings))
    named = [{"Id": str(number), **target} for number, target in enumerate(targets)]
    events.put_targets(Rule=name, Targets=named)


def test_a_queue_gets_the_events_that_match(aws: Cloud, events: Any) -> None:
    rule(events, "matching", {"Arn": queue(aws, "matching")})
    put(aws, kind="wanted today")
    put(aws, kind="unwanted")
    (event,) = bodies("matching")
    assert event["detail"] == {"kind": "wanted today"}
    assert set(event) == {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    }
    events.disable_rule(Name="matching")


def test_a_disabled_rule_and_one_with_only_a_schedule_get_nothing(aws: Cloud, events: Any) -> None:
    rule(events, "disabled", {"Arn": queue(aws, "disabled")}, State="DISABLED")
    events.put_rule(Name="scheduled", ScheduleExpression="rate(300 days)")
    events.put_targets(Rule="scheduled", Targets=[{"Id": "0", "Arn": queue(aws, "scheduled")}])
    put(aws, kind="wanted")
    assert bodies("disabled") == bodies("scheduled") == []


def test_plain_moto_sends_to_a_disabled_rule(aws: Cloud, events: Any) -> None:
    rule(events, "off", {"Arn": queue(aws, "off")}, State="DISABLED")
    with moto_as_shipped("Rule.send_to_targets"):
        put(aws, kind="wanted")
    assert len(bodies("off")) == 1


def test_the_time_of_an_event_is_simulated(aws: Cloud, events: Any) -> None:
    rule(events, "timed", {"Arn": queue(aws, "timed")})
    CLOCK.wait(1800)
    put(aws, kind="wanted")
    with moto_as_shipped("events.models.unix_time"):
        put(aws, kind="wanted")
    ours, motos = (event["time"] for event in bodies("timed"))
    assert ours[:10] >= motos[:10]
    assert ours > motos
    events.disable_rule(Name="timed")


def test_a_function_is_invoked_asynchronously(aws: Cloud, events: Any, function: MakeFunction) -> None:
    aws.client("s3").create_bucket(Bucket="from-rules")
    name = function(
        """
        import boto3, json
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="from-rules", Key="event", Body=json.dumps(event))
        """
    )
    target = {"Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", "InputPath": "$.detail"}
    rule(events, "invoking", target)
    put(aws, kind="wanted")
    body = aws.client("s3").get_object(Bucket="from-rules", Key="event")["Body"]
    assert json.load(body) == {"kind": "wanted"}
    events.disable_rule(Name="invoking")


def test_a_machine_is_started_with_the_event(aws: Cloud, events: Any, machine: MakeMachine) -> None:
    arn = machine({"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}})
    rule(events, "starting", {"Arn": arn, "Input": '{"from": "a rule"}', "RoleArn": "arn:aws:iam::1:role/r"})
    put(aws, kind="wanted")
    (execution,) = aws.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert aws.wait(execution["executionArn"]).output == {"from": "a rule"}
    events.disable_rule(Name="starting")


def test_one_bad_target_does_not_stop_the_others(aws: Cloud, events: Any) -> None:
    gone = {"Arn": "arn:aws:sqs:us-east-1:123456789012:not-there"}
    rule(events, "several", gone, {"Arn": queue(aws, "several")})
    put(aws, kind="wanted")
    assert len(bodies("several")) == 1
    events.disable_rule(Name="several")


def test_an_event_for_a_target_that_is_gone_is_kept_in_the_dead_letter_queue(aws: Cloud, events: Any) -> None:
    """Fact: the attributes of the message name rule, target and error (user guide, "dead-letter queues")."""
    dead = {"DeadLetterConfig": {"Arn": queue(aws, "dead")}}
    rule(events, "gone", {"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:gone", **dead})
    put(aws, kind="wanted")
    url = aws.client("sqs").get_queue_url(QueueName="dead")["QueueUrl"]
    (message,) = aws.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"].endswith("rule/gone")
    assert attributes["TARGET_ARN"].endswith("stateMachine:gone")
    assert attributes["ERROR_CODE"] == "StateMachineDoesNotExist"
    assert json.loads(message["Body"])["detail"] == {"kind": "wanted"}
    events.disable_rule(Name="gone")


def test_a_target_that_fails_is_tried_again_and_then_given_up(
    aws: Cloud, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []

    def busy(*_: Any) -> None:
        tries.append(CLOCK.time())
        raise ConnectionError("busy")

    monkeypatch.setitem(targets.TARGETS, "sqs", busy)
    dead = {"Arn": queue(aws, "given-up")}
    policy = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    rule(events, "failing", {"Arn": queue(aws, "busy"), "RetryPolicy": policy, "DeadLetterConfig": dead})
    put(aws, kind="wanted")
    assert len(tries) == 4
    assert tries[-1] - tries[0] >= 7  # 1, 2 and 4 simulated seconds
    (message,) = sqs_backends["123456789012"]["us-east-1"].queues["given-up"]._messages
    assert message.message_attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumRetryAttempts"
    assert message.message_attributes["RETRY_ATTEMPTS"]["StringValue"] == "3"
    events.disable_rule(Name="failing")


def test_an_event_that_is_too_old_is_given_up(aws: Cloud, events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise ConnectionError("busy")

    monkeypatch.setitem(targets.TARGETS, "sqs", busy)
    policy = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 600}
    dead = {"Arn": queue(aws, "too-old")}
    rule(events, "aging", {"Arn": queue(aws, "never"), "RetryPolicy": policy, "DeadLetterConfig": dead})
    put(aws, kind="wanted")
    (message,) = sqs_backends["123456789012"]["us-east-1"].queues["too-old"]._messages
    assert message.message_attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumEventAgeInSeconds"
    events.disable_rule(Name="aging")


def test_a_schedule_passes_over_a_function_that_is_still_at_its_last_event(
    aws: Cloud, events: Any, function: MakeFunction, tmp_path: Path
) -> None:
    """Choice: a function takes real time, and a schedule runs in simulated time. A minute is 17 ms here."""
    source = """
        import os, time
        def handler(event, context):
            os.close(os.open(event["lock"], os.O_CREAT | os.O_EXCL))
            time.sleep(0.1)
            with open(event["lock"] + ".count", "a") as count:
                count.write(".")
            os.unlink(event["lock"])
    """
    name, lock = function(source), str(tmp_path / "lock")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    target = {"Arn": arn, "Input": json.dumps({"lock": lock})}
    rule(events, "every-minute", target, EventPattern="", ScheduleExpression="rate(1 minute)")
    count = Path(f"{lock}.count")
    until = time.monotonic() + 30
    while time.monotonic() < until and not (count.exists() and count.stat().st_size >= 3):
        time.sleep(0.05)
    events.disable_rule(Name="every-minute")
    aws.quiesce()
    assert count.stat().st_size >= 3
    assert [error for error in aws.lambda_errors if error.function_name == name] == []
