"""Scheduled rules: when they are due, and that they fire."""

import json
import time
from datetime import UTC, datetime

import pytest
from moto.sqs.models import sqs_backends

from personalize_local.aws.events.schedule_expressions import next_time
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("rate(1 minute)", "2026-01-01T00:00:00", "2026-01-01T00:01:00"),
        ("rate(6 hours)", "2026-01-01T00:00:30", "2026-01-01T06:00:30"),
        ("rate(2 days)", "2026-01-01T00:00:00", "2026-01-03T00:00:00"),
        # Facts: these expressions, and what they mean, are the EventBridge user guide's table of cron examples.
        ("cron(0 10 * * ? *)", "2026-01-01T10:00:00", "2026-01-02T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-01-01T00:00:00", "2026-01-01T12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00:00", "2026-01-05T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-01-31T09:00:00", "2026-02-01T08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T00:01:00", "2026-01-01T00:15:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-01-02T23:50:00", "2026-01-05T00:00:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-01-02T17:55:00", "2026-01-05T08:00:00"),
        ("cron(0 0 29 FEB ? *)", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 12 ? * 1 *)", "2026-01-01T00:00:00", "2026-01-04T12:00:00"),
    ],
)
def test_a_schedule_is_due_when_documented(expression: str, after: str, due: str) -> None:
    assert next_time(expression, at(after)) == at(due)


def test_a_schedule_can_be_over() -> None:
    assert next_time("cron(0 0 1 1 ? 2020)", at("2026-01-01T00:00:00")) is None


@pytest.mark.parametrize(
    "expression",
    ["rate(5)", "every day", "cron(0 10 * * *)", "cron(0 10 * * * *)", "cron(60 10 * * ? *)", "cron(0 0 LL * ? *)"],
)
def test_a_bad_schedule_says_so(expression: str) -> None:
    with pytest.raises(ValueError, match=r"cron|rate"):
        next_time(expression, at("2026-01-01T00:00:00"))


def schedule(cloud: Cloud) -> list[dict[str, object]]:
    """Let a rule fire every ten simulated minutes for two hours; return what a queue got of it."""
    cloud.client("sqs").create_queue(QueueName="ticks")
    cloud.client("events").put_rule(Name="every-ten-minutes", ScheduleExpression="rate(10 minutes)")
    target = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:123456789012:ticks"}
    cloud.client("events").put_targets(Rule="every-ten-minutes", Targets=[target])
    CLOCK.wait(7200)
    cloud.client("events").disable_rule(Name="every-ten-minutes")
    cloud.quiesce()
    return [json.loads(message.body) for message in sqs_backends["123456789012"]["us-east-1"].queues["ticks"]._messages]


def test_a_scheduled_rule_fires_in_simulated_time(bare_cloud: Cloud) -> None:
    events = schedule(bare_cloud)
    assert 6 <= len(events) <= 12
    assert {event["detail-type"] for event in events} == {"Scheduled Event"}
    assert {event["source"] for event in events} == {"aws.events"}


def test_a_disabled_rule_does_not_fire(bare_cloud: Cloud) -> None:
    schedule(bare_cloud)
    queue = sqs_backends["123456789012"]["us-east-1"].queues["ticks"]
    before = len(queue._messages)
    CLOCK.wait(1200)
    bare_cloud.quiesce()
    assert len(queue._messages) == before


def test_schedules_can_be_left_out() -> None:
    with Cloud(speed=3600, schedules=False) as cloud:
        began = time.monotonic()
        assert schedule(cloud) == []
        assert time.monotonic() - began >= 2
