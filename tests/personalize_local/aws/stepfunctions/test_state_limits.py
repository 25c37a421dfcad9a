"""What Step Functions does not let an execution have: large data, a long history, a long name."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.limits import EXECUTION_NAME, HISTORY_EVENTS, STATE_DATA
from personalize_local.aws.stepfunctions import history_limit
from personalize_local.aws.stepfunctions.state_data import size_in_bytes
from personalize_local.cloud import Cloud, Run
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine, RunStates

LIMIT = STATE_DATA.value
CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
CAUGHT = {"Type": "Pass", "Result": "caught", "End": True}
BIG = "x" * (LIMIT // 2)
TWICE = {"one.$": "$.big", "two.$": "$.big"}
ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
SOURCE = "def handler(event, context): return event['letter'] * event['count']"


def task(function: MakeFunction, **members: Any) -> dict[str, Any]:
    resource = f"arn:aws:lambda:us-east-1:123456789012:function:{function(SOURCE)}"
    return {"Type": "Task", "Resource": resource, "End": True, **members}


def assert_too_large(ended: Run, cause: str) -> None:
    assert (ended.status, ended.error) == ("FAILED", "States.DataLimitExceeded")
    assert re.fullmatch(f"The state/task '.*' {cause} with a size exceeding the maximum number .*", str(ended.cause))


def test_the_size_is_that_of_compact_utf8() -> None:
    """Fact: data is limited "as a UTF-8 encoded string"."""
    assert size_in_bytes({"é": [1, "ü"]}) == len('{"é":[1,"ü"]}'.encode())


def test_a_result_may_be_as_long_as_the_limit_and_not_longer(run: RunStates, function: MakeFunction) -> None:
    """Fact: a letter counts as long as its UTF-8."""
    longest = (LIMIT - 2) // 2
    states = {"Work": task(function)}
    ended = run(states, {"letter": "é", "count": longest})
    assert (ended.status, ended.cause) == ("SUCCEEDED", None)
    assert_too_large(run(states, {"letter": "é", "count": longest + 1}), "returned a result")


def test_plain_moto_counts_escapes(run: RunStates, function: MakeFunction) -> None:
    states, given = {"Work": task(function)}, {"letter": "é", "count": 60_000}
    with moto_as_shipped("state_task.state_task_lambda.is_within_size_quota"):
        assert run(states, given).error == "States.DataLimitExceeded"
    assert run(states, given).status == "SUCCEEDED"
    passing, words = {"Pass": {"Type": "Pass", "Parameters": TWICE, "End": True}}, {"big": "é" * 30_000}
    with moto_as_shipped("state.state.is_within_size_quota"):
        assert run(passing, words).error == "States.DataLimitExceeded"
    assert run(passing, words).status == "SUCCEEDED"


def test_so_does_the_answer_of_a_service(run: RunStates, machine: MakeMachine) -> None:
    child = {"StateMachineArn": machine(ECHO), "Input.$": "$"}
    states = {
        "Child": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": child,
            "ResultSelector": {"is": "done"},
            "End": True,
        }
    }
    given = {"words": "é" * 30_000}  # given back twice, as Input and as Output
    assert run(states, given).status == "SUCCEEDED"
    with moto_as_shipped("service.state_task_service.is_within_size_quota"):
        assert run(states, given).error == "States.DataLimitExceeded"


@pytest.mark.parametrize("kind", ["Task", "Pass", "Map"])
def test_what_parameters_make_is_limited(run: RunStates, function: MakeFunction, kind: str) -> None:
    """Fact: "provided parameters with a size exceeding …", before the function is called."""
    state: dict[str, Any] = {"Type": "Pass", "Parameters": TWICE, "ResultPath": None, "End": True}
    if kind == "Task":
        state = task(function, Parameters=TWICE)
    if kind == "Map":
        state = {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": TWICE, "ItemProcessor": ECHO, "End": True}
    assert_too_large(run({"Large": state}, {"big": BIG, "items": [1]}), "provided parameters")


def test_plain_moto_lets_parameters_be_of_any_size(run: RunStates) -> None:
    passing = {"Type": "Pass", "Parameters": TWICE, "ResultPath": None, "End": True}
    looping = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": TWICE,
        "ItemProcessor": {
            "StartAt": "Forget",
            "States": {"Forget": {"Type": "Pass", "Result": 1, "End": True}},
        },
        "End": True,
    }
    with moto_as_shipped("Parargs._eval_body"):
        assert run({"Large": passing}, {"big": BIG}).status == "SUCCEEDED"
    with moto_as_shipped("ItemSelector._eval_body"):
        assert run({"Large": looping}, {"big": BIG, "items": [1]}).status == "SUCCEEDED"


REQUEST_AND_ITEM = {"request.$": "$.big", "item.$": "$$.Map.Item.Value"}
MAP = {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": REQUEST_AND_ITEM, "ItemProcessor": ECHO}
PARALLEL = {"Type": "Parallel", "Branches": [ECHO, ECHO, ECHO]}


@pytest.mark.parametrize("state", [MAP, PARALLEL], ids=["Map", "Parallel"])
def test_all_results_together_are_limited(run: RunStates, state: dict[str, Any]) -> None:
    """Choice: the whole result counts, also when a ResultSelector would throw most of it away."""
    states = {"Many": {**state, "ResultSelector": {"is": "done"}, "End": True}}
    given = {"big": "x" * 90_000, "items": [1, 2, 3]}
    assert_too_large(run(states, given), "returned a result")
    with moto_as_shipped("StateMap._eval_execution"), moto_as_shipped("StateParallel._eval_execution"):
        assert run(states, given).output == {"is": "done"}
    assert run(states, {"big": "x" * 80_000, "items": [1, 2, 3]}).output == {"is": "done"}


@pytest.mark.parametrize("inside", [False, True], ids=["in its own state", "in a Parallel around it"])
def test_states_all_does_not_catch_it(run: RunStates, function: MakeFunction, inside: bool) -> None:
    """Fact: "a terminal error that can't be caught by the States.ALL error type"."""
    work = task(function)
    branch = {"StartAt": "Inner", "States": {"Inner": work}}
    failing = {"Type": "Parallel", "Branches": [branch], "End": True} if inside else work
    states = {"Work": {**failing, "Catch": CATCH_ALL}, "Caught": CAUGHT}
    given = {"letter": "x", "count": LIMIT}
    assert_too_large(run(states, given), "returned a result")
    with moto_as_shipped("ErrorEqualsDecl._eval_body"):
        assert run(states, given).output == "caught"


def test_its_own_name_catches_it(run: RunStates, function: MakeFunction) -> None:
    catch = [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Caught"}]
    states = {"Work": task(function, Catch=catch), "Caught": CAUGHT}
    assert run(states, {"letter": "x", "count": LIMIT}).output == "caught"


def test_states_all_does_not_catch_a_runtime_error_either(run: RunStates) -> None:
    """Fact: "A retry or catch on States.ALL won't catch States.Runtime errors"."""
    broken = {"StartAt": "Look", "States": {"Look": {"Type": "Pass", "InputPath": "$.missing", "End": True}}}
    states = {"Try": {"Type": "Parallel", "Branches": [broken], "Catch": CATCH_ALL, "End": True}, "Caught": CAUGHT}
    assert run(states).error == "States.Runtime"


def test_a_parent_can_catch_a_child_that_ended_so(run: RunStates, machine: MakeMachine, function: MakeFunction) -> None:
    child = machine({"StartAt": "Work", "States": {"Work": task(function)}})
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child, "Input": {"letter": "x", "count": LIMIT}},
        "Catch": CATCH_ALL,
        "End": True,
    }
    assert run({"Child": start, "Caught": CAUGHT}).output == "caught"


LOOP = {"Round": {"Type": "Pass", "Next": "Again"}, "Again": {"Type": "Pass", "Next": "Round"}}
CAUSE = "The execution reached the maximum number of history events (25000)."


@pytest.fixture
def short_history(monkeypatch: pytest.MonkeyPatch) -> int:
    assert HISTORY_EVENTS.value == 25_000
    monkeypatch.setattr(history_limit, "HISTORY_EVENTS", replace(HISTORY_EVENTS, value=60))
    return 60


def history(aws: Cloud, arn: str) -> list[dict[str, Any]]:
    pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def test_a_history_that_is_full_ends_the_execution(aws: Cloud, run: RunStates, short_history: int) -> None:
    """Fact: event 25,000 is ExecutionFailed with States.Runtime, 24,999 the last of the machine's own."""
    ended = run(LOOP)
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "States.Runtime", CAUSE)
    events = history(aws, ended.arn)
    assert [event["id"] for event in events] == list(range(1, short_history + 1))
    assert events[-1]["executionFailedEventDetails"] == {"error": "States.Runtime", "cause": CAUSE}
    assert events[-1]["type"] == "ExecutionFailed"
    assert events[-2]["type"].startswith("PassState")
    described = aws.client("stepfunctions").describe_execution(executionArn=ended.arn)
    assert (described["status"], described["cause"]) == ("FAILED", CAUSE)
    assert described["stopDate"] >= described["startDate"]


@pytest.mark.usefixtures("short_history")
def test_nothing_catches_that(run: RunStates) -> None:
    branch = {"StartAt": "Round", "States": LOOP}
    states = {
        "Try": {"Type": "Parallel", "Branches": [branch, branch], "Catch": CATCH_ALL, "End": True},
        "Caught": CAUGHT,
    }
    ended = run(states)
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "States.Runtime", CAUSE)


@pytest.mark.usefixtures("short_history")
def test_an_execution_that_ends_with_the_last_event_ends_well(run: RunStates) -> None:
    passing = {f"Pass {number}": {"Type": "Pass", "Next": f"Pass {number + 1}"} for number in range(28)}
    states = {**passing, "Pass 28": {"Type": "Pass", "End": True}}
    ended = run(states)  # one started, two for each of 29 states, one succeeded
    assert ended.status == "SUCCEEDED"
    longer = {**passing, "Pass 28": {"Type": "Pass", "Next": "Pass 29"}, "Pass 29": {"Type": "Pass", "End": True}}
    assert run(longer).error == "States.Runtime"


@pytest.mark.usefixtures("short_history")
def test_plain_moto_has_no_end(run: RunStates) -> None:
    passing = {f"Pass {number}": {"Type": "Pass", "Next": f"Pass {number + 1}"} for number in range(40)}
    with moto_as_shipped("EventManager.add_event"):
        assert run({**passing, "Pass 40": {"Type": "Pass", "End": True}}).status == "SUCCEEDED"


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_name_has_80_characters(aws: Cloud, machine: MakeMachine, letter: str) -> None:
    """Fact: botocore's model, max 80; characters, not bytes."""
    arn = machine(ECHO)
    aws.wait(aws.start(arn, {}, name=letter * EXECUTION_NAME.value))
    with pytest.raises(ClientError, match="Member must have length less than or equal to 80"):
        aws.start(arn, {}, name=letter * (EXECUTION_NAME.value + 1))


@pytest.mark.parametrize("name", ["a/b", "a:b", "a,b", "a\u0085b", "a\u0007b", "a#b", "a*b", "a<b", "a|b"])
def test_some_characters_are_in_no_name(aws: Cloud, machine: MakeMachine, name: str) -> None:
    with pytest.raises(ClientError, match="InvalidName"):
        aws.start(machine(ECHO), {}, name=name)


def test_an_execution_takes_no_larger_input_than_a_state(aws: Cloud, machine: MakeMachine) -> None:
    arn, room = machine(ECHO), LIMIT // 2 - 1
    started = aws.client("stepfunctions").start_execution(
        stateMachineArn=arn, input=json.dumps("é" * room, ensure_ascii=False)
    )
    assert aws.wait(started["executionArn"]).status == "SUCCEEDED"
    with pytest.raises(ClientError, match="less than or equal to 262144"):
        aws.client("stepfunctions").start_execution(
            stateMachineArn=arn, input=json.dumps("é" * (room + 1), ensure_ascii=False)
        )
