"""Executions: names, idempotency, stopping, and what is counted."""

import json
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.stepfunctions.executions import find_execution
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import ROLE, MakeFunction, MakeMachine, RunStates

ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
LONG = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}}


@pytest.fixture
def sfn(aws: Cloud) -> Any:
    return aws.client("stepfunctions")


def test_executions_without_a_name_get_one_each(sfn: Any, machine: MakeMachine) -> None:
    arn = machine(ECHO)
    started = {sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(2)}
    assert len(started) == 2


@pytest.mark.usefixtures("aws")
def test_plain_moto_calls_them_all_none() -> None:
    with moto_as_shipped("stepfunctions_backends.backend") as correction:
        plain = correction.original("eu-west-3", "123456789012")
    made = plain.create_state_machine("echo", json.dumps(ECHO), ROLE)
    assert plain.start_execution(made.arn).execution_arn.endswith(":None")


def test_starting_again_while_it_runs_returns_the_same_execution(sfn: Any, machine: MakeMachine) -> None:
    """Fact: StartExecution with the name and input of a running execution returns what it returned before."""
    arn = machine(LONG)
    first, second = (sfn.start_execution(stateMachineArn=arn, name="same", input='{"a": 1}') for _ in range(2))
    assert (first["executionArn"], first["startDate"]) == (second["executionArn"], second["startDate"])
    sfn.stop_execution(executionArn=first["executionArn"])


def test_another_input_under_the_same_name_is_refused(sfn: Any, machine: MakeMachine) -> None:
    arn = machine(LONG)
    started = sfn.start_execution(stateMachineArn=arn, name="same", input='{"a": 1}')
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=arn, name="same", input='{"a": 2}')
    sfn.stop_execution(executionArn=started["executionArn"])


def test_a_name_is_not_free_again_after_the_end(aws: Cloud, sfn: Any, machine: MakeMachine) -> None:
    arn = machine(ECHO)
    aws.wait(aws.start(arn, {}, name="once"))
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists, match="Execution Already Exists"):
        sfn.start_execution(stateMachineArn=arn, name="once", input="{}")


def test_many_starts_of_one_name_at_once_make_one_execution(aws: Cloud, machine: MakeMachine) -> None:
    arn, started = machine(LONG), set()
    threads = [threading.Thread(target=lambda: started.add(aws.start(arn, {}, name="race"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    aws.client("stepfunctions").stop_execution(executionArn=started.pop())


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"input": "{not json"}, "InvalidExecutionInput"),
        ({"input": f'"{"x" * 262_144}"'}, "ValidationException"),
        ({"name": "no spaces"}, "InvalidName"),
    ],
)
def test_bad_starts_are_refused(sfn: Any, machine: MakeMachine, bad: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        sfn.start_execution(stateMachineArn=machine(ECHO), **bad)


def test_a_stopped_execution_is_aborted_at_once(
    aws: Cloud, sfn: Any, machine: MakeMachine, function: MakeFunction
) -> None:
    slow = function("import time\ndef handler(event, context): time.sleep(2)")
    resource = f"arn:aws:lambda:us-east-1:123456789012:function:{slow}"
    arn = aws.start(
        machine({"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": resource, "End": True}}}), {}
    )
    time.sleep(0.1)
    began = time.monotonic()
    sfn.stop_execution(executionArn=arn, error="Operator", cause="changed my mind")
    ended = aws.wait(arn)
    assert time.monotonic() - began < 1
    assert (ended.status, ended.error, ended.cause) == ("ABORTED", "Operator", "changed my mind")


def test_an_execution_can_be_stopped_the_moment_it_starts(aws: Cloud, sfn: Any, machine: MakeMachine) -> None:
    arn = machine(LONG)
    for _ in range(20):
        started = aws.start(arn, {})
        sfn.stop_execution(executionArn=started)
        assert find_execution(started).finished.wait(60)


def test_times_are_simulated(run: RunStates, sfn: Any) -> None:
    CLOCK.wait(1800)
    described = sfn.describe_execution(executionArn=run({"Done": {"Type": "Succeed"}}).arn)
    for member in ("startDate", "stopDate"):
        assert described[member].timestamp() == pytest.approx(CLOCK.time(), abs=1200)


def test_the_start_in_the_context_object_is_text(run: RunStates, sfn: Any) -> None:
    ended = run({"Look": {"Type": "Pass", "Parameters": {"at.$": "$$.Execution.StartTime"}, "End": True}})
    started = sfn.describe_execution(executionArn=ended.arn)["startDate"]
    assert ended.output["at"].startswith(f"{started.astimezone(CLOCK.now().tzinfo):%Y-%m-%dT%H:%M:%S}")


def test_transitions_count_states_entered_and_retries(aws: Cloud, run: RunStates, function: MakeFunction) -> None:
    resource = f"arn:aws:lambda:us-east-1:123456789012:function:{function('handler = None')}"
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
    before = aws.transitions()
    run(
        {
            "First": {"Type": "Pass", "Next": "Try"},
            "Try": {"Type": "Task", "Resource": resource, "Retry": retry, "Catch": catch, "Next": "Done"},
            "Done": {"Type": "Succeed"},
        }
    )
    assert aws.transitions() - before == len(["First", "Try", "Try again", "Try again", "Done"])


def test_states_of_branches_are_counted_too(aws: Cloud, run: RunStates) -> None:
    before = aws.transitions()
    ended = run({"Both": {"Type": "Parallel", "Branches": [ECHO, ECHO], "End": True}})
    assert ended.states == ("Both", "Echo", "Echo")
    assert aws.transitions() - before == 3
