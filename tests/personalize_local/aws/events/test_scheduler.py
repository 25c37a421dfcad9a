"""EventBridge Scheduler: what it stores and refuses, when it fires, and what its targets get."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sqs.models import sqs_backends

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.events.schedule_invocations import UNIVERSAL
from personalize_local.aws.stepfunctions.interpreter import iso_time
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import ROLE, MakeFunction, MakeMachine

OFF = {"Mode": "OFF"}
ACCOUNT = "us-east-1:123456789012"
TIMES = '"at <aws.scheduler.scheduled-time>, attempt <aws.scheduler.attempt-number>"'


@pytest.fixture
def scheduler(aws: Cloud) -> Any:
    return aws.client("scheduler")


@pytest.fixture
def queue(aws: Cloud, request: pytest.FixtureRequest) -> str:
    name = f"{abs(hash(request.node.name))}"
    aws.client("sqs").create_queue(QueueName=name)
    return name


def to(queue: str, **more: Any) -> dict[str, Any]:
    return {"Arn": f"arn:aws:sqs:{ACCOUNT}:{queue}", "RoleArn": ROLE, "Input": TIMES, **more}


def messages(queue: str) -> list[Any]:
    return list(sqs_backends["123456789012"]["us-east-1"].queues[queue]._messages)


def bodies(queue: str) -> list[str]:
    return [message.body for message in messages(queue)]


def create(scheduler: Any, name: str, expression: str, target: dict[str, Any], **settings: Any) -> None:
    settings = {"FlexibleTimeWindow": OFF, **settings}
    scheduler.create_schedule(Name=name, ScheduleExpression=expression, Target=target, **settings)


def until(holds: Callable[[], object], timeout_seconds: float = 90) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def soon(**after: float) -> str:
    moment = CLOCK.now() + timedelta(**after)
    return f"at({moment:%Y-%m-%dT%H:%M:%S})"


def test_a_schedule_fires_at_each_of_its_times_once_until_it_is_deleted(scheduler: Any, queue: str) -> None:
    create(scheduler, "hourly", "rate(1 hour)", to(queue))
    until(lambda: len(messages(queue)) >= 4)
    scheduler.delete_schedule(Name="hourly")
    told = bodies(queue)
    scheduled = [datetime.fromisoformat(body.split()[1].rstrip(",")) for body in told]
    assert len(set(told)) == len(told)
    assert all(body.endswith('attempt 1"') for body in told)
    gaps = {later - earlier for earlier, later in zip(sorted(scheduled), sorted(scheduled)[1:], strict=False)}
    assert all(gap % timedelta(hours=1) <= timedelta(seconds=1) for gap in gaps)
    CLOCK.wait(2 * 3600)
    assert len(messages(queue)) <= len(told) + 1  # one may have been under way


@pytest.mark.usefixtures("aws")
def test_plain_moto_fires_nothing() -> None:
    with moto_as_shipped("scheduler_backends.backend") as correction:
        assert not hasattr(correction.original, "fire")


def test_days_without_anybody_cost_one_invocation(scheduler: Any, queue: str) -> None:
    """Ours: what was due while the clock jumped is made up for once, with the first of the times missed."""
    create(scheduler, "often", "cron(* * * * ? *)", to(queue))
    until(lambda: messages(queue))
    before = len(messages(queue))
    CLOCK.go_on_from(CLOCK.time() + 300 * 86_400)
    time.sleep(0.2)
    scheduler.delete_schedule(Name="often")
    assert before < len(messages(queue)) < before + 30  # 300 days have 432,000 minutes


def test_a_one_time_schedule_fires_once_and_deletes_itself(scheduler: Any, queue: str) -> None:
    create(scheduler, "once", soon(minutes=30), to(queue), ActionAfterCompletion="DELETE")
    assert scheduler.get_schedule(Name="once")["ActionAfterCompletion"] == "DELETE"
    until(lambda: messages(queue))
    until(lambda: "once" not in [one["Name"] for one in scheduler.list_schedules()["Schedules"]])
    CLOCK.wait(3600)
    assert len(messages(queue)) == 1


def test_a_schedule_of_the_past_never_fires(scheduler: Any, queue: str) -> None:
    create(scheduler, "past", "at(2020-01-01T00:00:00)", to(queue))
    CLOCK.wait(1800)
    assert not messages(queue)
    scheduler.delete_schedule(Name="past")


def test_a_disabled_schedule_fires_once_it_is_enabled(scheduler: Any, queue: str) -> None:
    create(scheduler, "off", "cron(* * * * ? *)", to(queue), State="DISABLED")
    CLOCK.wait(1800)
    assert not messages(queue)
    settings = {
        "Name": "off",
        "ScheduleExpression": "cron(* * * * ? *)",
        "FlexibleTimeWindow": OFF,
        "Target": to(queue),
    }
    scheduler.update_schedule(**settings)
    until(lambda: messages(queue))
    scheduler.update_schedule(**settings, State="DISABLED", ActionAfterCompletion="DELETE")
    assert scheduler.get_schedule(Name="off")["ActionAfterCompletion"] == "DELETE"
    with moto_as_shipped("EventBridgeSchedulerResponse.update_schedule"):
        scheduler.update_schedule(**settings, State="DISABLED", ActionAfterCompletion="DELETE")
        assert scheduler.get_schedule(Name="off").get("ActionAfterCompletion") != "DELETE"
    scheduler.delete_schedule(Name="off")


def test_a_flexible_schedule_fires_within_its_window(scheduler: Any, queue: str) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 600}
    began = CLOCK.now()
    create(scheduler, "flexible", soon(minutes=10), to(queue, Input=None) | {"Input": "x"}, FlexibleTimeWindow=window)
    until(lambda: messages(queue))
    assert timedelta(minutes=10) < CLOCK.now() - began < timedelta(minutes=10 + 600 + 60)


def test_what_fails_is_tried_again_and_then_a_dead_letter(aws: Cloud, scheduler: Any, queue: str) -> None:
    """Fact: the dead letter's body is the input, its attributes name schedule, target and time (user guide)."""
    retries = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}
    dead = {"RetryPolicy": retries, "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{ACCOUNT}:{queue}"}}
    target = {"Arn": f"{UNIVERSAL}sqs:sendMessage", "RoleArn": ROLE, "Input": '{"MessageBody": "no queue"}', **dead}
    create(scheduler, "failing", soon(hours=2), target)
    until(lambda: messages(queue))
    (letter,) = messages(queue)
    attributes = {name: value["StringValue"] for name, value in letter.message_attributes.items()}
    assert letter.body == '{"MessageBody": "no queue"}'
    assert attributes["SCHEDULE_ARN"] == scheduler.get_schedule(Name="failing")["Arn"]
    assert (attributes["RETRY_ATTEMPTS"], attributes["EXHAUSTED_RETRY_CONDITION"]) == ("2", "MaximumRetryAttempts")
    create(scheduler, "gone", soon(hours=2), to("not-there", **dead))
    until(lambda: len(messages(queue)) == 2)
    assert messages(queue)[1].message_attributes["RETRY_ATTEMPTS"]["StringValue"] == "0"
    aws.quiesce()


def test_machines_are_started_directly_and_by_the_universal_target(
    aws: Cloud, scheduler: Any, machine: MakeMachine
) -> None:
    arn = machine({"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}})
    create(scheduler, "direct", soon(hours=2), {"Arn": arn, "RoleArn": ROLE, "Input": '{"by": "direct"}'})
    call = json.dumps({"StateMachineArn": arn, "Name": "named", "Input": '{"by": "call"}'})
    universal = {"Arn": f"{UNIVERSAL}sfn:startExecution", "RoleArn": ROLE, "Input": call}
    create(scheduler, "universal", soon(hours=2), universal)
    sfn = aws.client("stepfunctions")
    until(lambda: len(sfn.list_executions(stateMachineArn=arn)["executions"]) == 2)
    outputs = [aws.wait(one["executionArn"]).output for one in sfn.list_executions(stateMachineArn=arn)["executions"]]
    assert sorted(output["by"] for output in outputs) == ["call", "direct"]


def test_functions_and_event_buses_are_targets(aws: Cloud, scheduler: Any, function: MakeFunction, queue: str) -> None:
    aws.client("events").put_rule(Name="scheduled", EventPattern='{"source": ["ours"]}')
    aws.client("events").put_targets(Rule="scheduled", Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{ACCOUNT}:{queue}"}])
    bus = {"Arn": f"arn:aws:events:{ACCOUNT}:event-bus/default", "RoleArn": ROLE, "Input": '{"a": 1}'}
    create(scheduler, "bus", soon(hours=2), {**bus, "EventBridgeParameters": {"Source": "ours", "DetailType": "Tick"}})
    until(lambda: messages(queue))
    event = json.loads(bodies(queue)[0])
    assert (event["source"], event["detail-type"], event["detail"]) == ("ours", "Tick", {"a": 1})
    aws.client("s3").create_bucket(Bucket="from-schedules")
    name = function(
        """
        import boto3, json
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="from-schedules", Key="event", Body=json.dumps(event))
        """
    )
    create(scheduler, "function", soon(hours=2), {"Arn": f"arn:aws:lambda:{ACCOUNT}:function:{name}", "RoleArn": ROLE})
    until(lambda: aws.client("s3").list_objects_v2(Bucket="from-schedules")["KeyCount"])
    given = json.load(aws.client("s3").get_object(Bucket="from-schedules", Key="event")["Body"])
    assert (given["source"], given["detail-type"], given["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert given["resources"] == [scheduler.get_schedule(Name="function")["Arn"]]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ScheduleExpression": "every day"}, "rate"),
        ({"ScheduleExpressionTimezone": "Europe/Atlantis"}, "time zone"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "minutes"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "minutes"),
        ({"Target": {"Arn": "arn:aws:kinesis:us-east-1:1:stream/s", "RoleArn": ROLE}}, "local cloud calls"),
        ({"Target": {"Arn": f"{UNIVERSAL}sfn:fly", "RoleArn": ROLE}}, "names no operation"),
        ({"Target": {"Arn": f"{UNIVERSAL}moon:land", "RoleArn": ROLE}}, "names no service"),
        ({"Target": {"Arn": "arn:aws:lambda:us-east-1:1:function:f", "RoleArn": ROLE, "Input": "{"}}, "JSON"),
        ({"Target": to("q", RetryPolicy={"MaximumRetryAttempts": 186})}, "RetryPolicy"),
        ({"Target": {"Arn": f"arn:aws:events:{ACCOUNT}:event-bus/default", "RoleArn": ROLE}}, "EventBridgeParameters"),
    ],
)
def test_bad_schedules_are_refused(scheduler: Any, changed: dict[str, Any], words: str) -> None:
    good = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": OFF, "Target": to("q")}
    with pytest.raises(scheduler.exceptions.ValidationException, match=words):
        scheduler.create_schedule(Name="bad", **{**good, **changed})
    assert "bad" not in [one["Name"] for one in scheduler.list_schedules()["Schedules"]]


def test_groups_hold_schedules_and_take_them_along(scheduler: Any, queue: str) -> None:
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        create(scheduler, "lost", "rate(1 hour)", to(queue), GroupName="nowhere")
    arn = scheduler.create_schedule_group(Name="ours", Tags=[{"Key": "a", "Value": "b"}])["ScheduleGroupArn"]
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule_group(Name="ours")
    create(scheduler, "mine", "rate(300 days)", to(queue), GroupName="ours")
    with pytest.raises(scheduler.exceptions.ConflictException):
        create(scheduler, "mine", "rate(300 days)", to(queue), GroupName="ours")
    assert [one["Name"] for one in scheduler.list_schedules(GroupName="ours")["Schedules"]] == ["mine"]
    scheduler.delete_schedule_group(Name="ours")
    requests: list[Callable[[], Any]] = [
        lambda: scheduler.get_schedule(Name="mine", GroupName="ours"),
        lambda: scheduler.delete_schedule_group(Name="ours"),
        lambda: scheduler.delete_schedule(Name="never-there"),
    ]
    for request in requests:
        with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
            request()
    with pytest.raises(ClientError, match="default"):
        scheduler.delete_schedule_group(Name="default")


def test_a_schedule_of_a_stack_is_made_changed_and_taken_out(aws: Cloud, scheduler: Any, queue: str) -> None:
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "of-stack"}}
    properties = {
        "GroupName": {"Ref": "Group"},
        "ScheduleExpression": "rate(300 days)",
        "StartDate": iso_time(CLOCK.now() + timedelta(days=9000)),
        "FlexibleTimeWindow": OFF,
        "Target": to(queue),
    }
    made = {"Type": "AWS::Scheduler::Schedule", "Properties": properties}
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Schedule", "Arn"]}}, "Name": {"Value": {"Ref": "Schedule"}}}
    template: dict[str, Any] = {"Resources": {"Group": group, "Schedule": made}, "Outputs": outputs}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="schedules", TemplateBody=json.dumps(template))
    (stack,) = cloudformation.describe_stacks(StackName="schedules")["Stacks"]
    values = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    known = scheduler.get_schedule(Name=values["Name"], GroupName="of-stack")
    assert known["Arn"] == values["Arn"]
    assert known["StartDate"] > CLOCK.now()
    properties["ScheduleExpression"] = "rate(2 days)"
    cloudformation.update_stack(StackName="schedules", TemplateBody=json.dumps(template))
    changed = scheduler.get_schedule(Name=values["Name"], GroupName="of-stack")
    assert changed["ScheduleExpression"] == "rate(2 days)"
    del template["Resources"]["Schedule"], template["Outputs"]
    cloudformation.update_stack(StackName="schedules", TemplateBody=json.dumps(template))
    assert scheduler.list_schedules(GroupName="of-stack")["Schedules"] == []
    cloudformation.delete_stack(StackName="schedules")
    assert "of-stack" not in [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"]]
