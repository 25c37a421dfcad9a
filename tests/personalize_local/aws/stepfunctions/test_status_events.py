"""Step Functions' status events: what they say, and that rules get them like any other."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from personalize_local.aws.stepfunctions import status_events
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeMachine

FAIL = {"StartAt": "Stop", "States": {"Stop": {"Type": "Fail", "Error": "No", "Cause": "because"}}}
ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
LONG = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}}
# The example of a failed execution in the developer guide ("Step Functions event examples") has these members.
MEMBERS = {
    *("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "input", "output"),
    *("inputDetails", "outputDetails", "error", "cause", "stateMachineVersionArn", "stateMachineAliasArn"),
    *("redriveCount", "redriveDate", "redriveStatus", "redriveStatusReason"),
}


_numbers = itertools.count()


@pytest.fixture
def queue(aws: Cloud) -> Iterator[str]:
    """Return a queue of this test's own that gets every status event."""
    name = f"statuses-{next(_numbers)}"
    aws.client("sqs").create_queue(QueueName=name)
    pattern = {"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"]}
    aws.client("events").put_rule(Name="statuses", EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:123456789012:{name}"}
    aws.client("events").put_targets(Rule="statuses", Targets=[target])
    yield name
    aws.client("events").disable_rule(Name="statuses")


def events(aws: Cloud, queue: str) -> list[dict[str, Any]]:
    aws.quiesce()
    messages = sqs_backends["123456789012"]["us-east-1"].queues[queue]._messages
    return sorted((json.loads(message.body) for message in messages), key=lambda event: event["detail"]["status"])


def test_every_change_of_status_is_told(aws: Cloud, queue: str, machine: MakeMachine) -> None:
    run = aws.run(machine(FAIL), {"a": 1})
    failed, running = events(aws, queue)
    assert failed["source"] == "aws.states"
    assert failed["resources"] == [run.arn]
    assert set(failed["detail"]) == MEMBERS
    known = aws.client("stepfunctions").describe_execution(executionArn=run.arn)
    expected = {
        **{
            name: known[name]
            for name in ("executionArn", "stateMachineArn", "name", "status", "input", "error", "cause")
        },
        "startDate": pytest.approx(known["startDate"].timestamp() * 1000, abs=1),
        "stopDate": pytest.approx(known["stopDate"].timestamp() * 1000, abs=1),
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": None,
        "redriveCount": 0,
        "redriveStatus": "REDRIVABLE",
    }
    assert {name: failed["detail"][name] for name in expected} == expected
    assert (running["detail"]["status"], running["detail"]["stopDate"]) == ("RUNNING", None)
    assert running["detail"]["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert running["time"] <= CLOCK.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_rule_that_cannot_be_compared_harms_neither_the_execution_nor_other_rules(
    aws: Cloud, queue: str, machine: MakeMachine
) -> None:
    """Plain moto takes patterns that PutRule refuses on AWS, and breaks on the first event."""
    pattern = {"source": ["aws.states"], "detail": {"redriveCount": [{"numeric": ["!", 5]}]}}
    aws.client("events").put_rule(Name="a-hostile-rule", EventPattern=json.dumps(pattern))
    try:
        assert aws.run(machine(FAIL), {}, timeout_seconds=20).status == "FAILED"
        assert len(events(aws, queue)) == 2
    finally:
        aws.client("events").delete_rule(Name="a-hostile-rule")


def test_success_abort_timeout_and_redrive_are_told(aws: Cloud, queue: str, machine: MakeMachine) -> None:
    sfn = aws.client("stepfunctions")
    aws.run(machine(ECHO), {"a": 1})
    stopped = aws.start(machine(LONG), {})
    sfn.stop_execution(executionArn=stopped)
    aws.run(machine({**LONG, "TimeoutSeconds": 1}), {})
    failed = aws.run(machine(FAIL), {}).arn
    sfn.redrive_execution(executionArn=failed)
    aws.wait(failed)
    found = events(aws, queue)
    assert [event["detail"]["status"] for event in found] == [
        "ABORTED",
        *["FAILED"] * 2,
        *["RUNNING"] * 5,
        "SUCCEEDED",
        "TIMED_OUT",
    ]
    assert found[-2]["detail"]["output"] == '{"a": 1}'
    assert found[-2]["detail"]["outputDetails"] == {"included": True}
    assert sorted(event["detail"]["redriveCount"] for event in found[1:3]) == [0, 1]
    assert max(event["detail"]["redriveCount"] for event in found[3:8]) == 1


@pytest.mark.parametrize(
    ("sizes", "included"),
    [
        ((100, 100), (True, True)),
        ((200_000, 100_000), (False, True)),
        ((100, 255_000), (True, False)),
        ((254_500, 0), (False, True)),
    ],
)
def test_what_is_too_large_for_an_event_is_left_out(
    aws: Cloud, queue: str, machine: MakeMachine, sizes: tuple[int, int], included: tuple[bool, bool]
) -> None:
    """Fact: without its input beyond 248 KB for both, without its output when that alone is larger."""
    echo = {"Type": "Pass", "Result": {"text": "y" * sizes[1]}, "End": True}
    aws.run(machine({"StartAt": "Echo", "States": {"Echo": echo}}), {"text": "x" * sizes[0]})
    detail = events(aws, queue)[-1]["detail"]
    assert (detail["input"] is not None) == detail["inputDetails"]["included"] == included[0]
    assert (detail["output"] is not None) == detail["outputDetails"]["included"] == included[1]


def test_the_limit_is_that_of_the_escaped_text() -> None:
    assert status_events._escaped_bytes('"ä"') == len('"\\"ä\\""'.encode())
