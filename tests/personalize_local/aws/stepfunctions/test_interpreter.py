"""The interpreter's corrections, each beside what plain moto does."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackOutcomeSuccess
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.stepfunctions.interpreter import iso_time
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine, RunStates

DONE = {"Type": "Succeed"}
# The Step Functions guide's example of $$.State.EnteredTime is 2019-03-26T20:14:13.192Z.
AWS_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def failing(error: str) -> dict[str, Any]:
    """Return states that end in an error of this name, by Step Functions itself."""
    if error == "States.NoChoiceMatched":
        choice = {"Variable": "$.never", "IsPresent": True, "Next": "End"}
        return {"StartAt": "Choose", "States": {"Choose": {"Type": "Choice", "Choices": [choice]}, "End": DONE}}
    return {"StartAt": "Stop", "States": {"Stop": {"Type": "Fail", "Error": error, "Cause": "because"}}}


def test_a_wait_takes_simulated_time(run: RunStates) -> None:
    wait = {"Wait": {"Type": "Wait", "Seconds": 1800, "Next": "Done"}, "Done": DONE}
    began, simulated = time.monotonic(), CLOCK.time()
    assert run(wait).states == ("Wait", "Done")
    assert time.monotonic() - began < 5
    assert CLOCK.time() - simulated >= 1800


def test_plain_moto_waits_in_real_time(run: RunStates) -> None:
    with moto_as_shipped("WaitFunction._wait_interval"):
        began = time.monotonic()
        run({"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Done"}, "Done": DONE})
    assert time.monotonic() - began >= 1


WAIT_UNTIL = {"Wait": {"Type": "Wait", "TimestampPath": "$.until", "Next": "Done"}, "Done": DONE}


def test_a_wait_until_a_time_means_the_simulated_time(run: RunStates) -> None:
    until = CLOCK.now() + timedelta(hours=1)
    run(WAIT_UNTIL, {"until": iso_time(until)})
    assert until - timedelta(seconds=1) <= CLOCK.now() <= until + timedelta(hours=2)


def test_plain_moto_compares_a_time_with_the_machines_clock(run: RunStates) -> None:
    CLOCK.wait(7200)
    # Long ago on the simulated clock, and half an hour ahead on the machine's.
    until = datetime.fromtimestamp(time.time(), UTC) + timedelta(minutes=30)
    began = CLOCK.time()
    with moto_as_shipped("Timestamp._get_wait_seconds"):
        run(WAIT_UNTIL, {"until": iso_time(until)})
    assert CLOCK.time() - began > 1200


RETRY_ONCE = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1800, "MaxAttempts": 1}


def try_twice(function: MakeFunction) -> dict[str, Any]:
    """Return a task that fails, is tried again after half an hour, and fails again."""
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function('handler = None')}"
    return {"Try": {"Type": "Task", "Resource": arn, "Retry": [RETRY_ONCE], "End": True}}


def test_a_retry_waits_in_simulated_time(run: RunStates, function: MakeFunction) -> None:
    simulated = CLOCK.time()
    assert run(try_twice(function)).status == "FAILED"
    assert CLOCK.time() - simulated >= 1800


def test_plain_moto_sleeps_before_a_retry(
    run: RunStates, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    with moto_as_shipped("retry.retrier_decl.time") as correction:
        monkeypatch.setattr(correction.original, "sleep", slept.append)
        run(try_twice(function))
        monkeypatch.undo()
    assert 1800 in slept


ENTERED = {"Look": {"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime"}, "End": True}}


def test_a_state_is_entered_at_a_simulated_time(run: RunStates) -> None:
    CLOCK.wait(1800)
    entered = run(ENTERED).output["at"]
    assert AWS_TIME.fullmatch(entered)
    assert abs(datetime.fromisoformat(entered) - CLOCK.now()) < timedelta(minutes=20)


def test_plain_moto_enters_states_at_the_machines_time(run: RunStates) -> None:
    with moto_as_shipped("state.state.StateData"):
        entered = run(ENTERED).output["at"]
    assert not AWS_TIME.fullmatch(entered)
    assert datetime.fromisoformat(entered).timestamp() == pytest.approx(time.time(), abs=20)


def history_begins(aws: Cloud, arn: str) -> float:
    """Return the time of the first event of an execution."""
    events = aws.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return float(events[0]["timestamp"].timestamp())


def test_history_is_in_simulated_time(aws: Cloud, run: RunStates) -> None:
    CLOCK.wait(1800)
    assert history_begins(aws, run({"Done": DONE}).arn) == pytest.approx(CLOCK.time(), abs=1200)


def test_plain_moto_writes_history_in_real_time(aws: Cloud, run: RunStates) -> None:
    CLOCK.wait(1800)
    with moto_as_shipped("EventManager._get_current_timestamp"):
        arn = run({"Done": DONE}).arn
    assert history_begins(aws, arn) == pytest.approx(time.time(), abs=20)


NO_MATCH = failing("States.NoChoiceMatched")["States"]


def test_a_choice_without_a_match_fails_by_its_name(run: RunStates) -> None:
    ended = run(NO_MATCH)
    assert (ended.status, ended.error) == ("FAILED", "States.NoChoiceMatched")
    assert "'Choose'" in str(ended.cause)


def test_plain_moto_calls_it_a_runtime_error(run: RunStates) -> None:
    with moto_as_shipped("StateChoice._eval_state"):
        assert run(NO_MATCH).error == "States.Runtime"


def parallel(error: str) -> dict[str, Any]:
    """Return a try: one branch that fails, and a catch for this very error."""
    catch = [{"ErrorEquals": [error], "Next": "Caught"}]
    state = {"Type": "Parallel", "Branches": [failing(error)], "Catch": catch, "End": True}
    return {"Try": state, "Caught": DONE}


@pytest.mark.parametrize("error", ["States.NoChoiceMatched", "OurOwn"])
def test_any_error_can_leave_a_branch(run: RunStates, error: str) -> None:
    assert run(parallel(error)).states[-1] == "Caught"


def test_plain_moto_keeps_states_errors_in_a_branch(run: RunStates) -> None:
    with moto_as_shipped("state_parallel.branches_decl.CustomErrorName"):
        assert run(parallel("States.NoChoiceMatched")).status == "FAILED"


def mapped(error: str) -> dict[str, Any]:
    """Return a map over one item that fails, and a catch for this very error."""
    catch = [{"ErrorEquals": [error], "Next": "Caught"}]
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": failing(error), "Catch": catch, "End": True}
    return {"Each": state, "Caught": DONE}


@pytest.mark.parametrize("error", ["States.NoChoiceMatched", "OurOwn"])
def test_any_error_can_leave_an_iteration(run: RunStates, error: str) -> None:
    assert run(mapped(error), {"items": [1]}).states[-1] == "Caught"


def test_plain_moto_keeps_states_errors_in_an_iteration(run: RunStates) -> None:
    with moto_as_shipped("iteration.iteration_worker.CustomErrorName"):
        assert run(mapped("States.NoChoiceMatched"), {"items": [1]}).status == "FAILED"


PASS_ON = {"Stop": {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"}}


@pytest.mark.parametrize("error", ["States.Timeout", "States.NobodyKnows", "ResourceFailed"])
def test_fail_passes_on_any_error(run: RunStates, error: str) -> None:
    ended = run(PASS_ON, {"error": error, "cause": "because"})
    assert (ended.status, ended.error, ended.cause) == ("FAILED", error, "because")


def test_plain_moto_makes_a_runtime_error_of_it(run: RunStates) -> None:
    with moto_as_shipped("fail.state_fail.CustomErrorName"):
        assert run(PASS_ON, {"error": "States.Timeout", "cause": "because"}).error == "States.Runtime"


def count_parsing(aws: Cloud, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often a new definition is parsed when its machine runs twice."""
    parsed: list[object] = []
    original = Preprocessor.visit

    def visit(preprocessor: Preprocessor, tree: Any) -> Any:
        if isinstance(tree, ASLParser.State_machineContext):
            parsed.append(tree)
        return original(preprocessor, tree)

    monkeypatch.setattr(Preprocessor, "visit", visit)
    arn = machine({"StartAt": "Done", "States": {"Done": {**DONE, "Comment": f"at {time.time_ns()}"}}})
    for _ in range(2):
        aws.run(arn, {})
    monkeypatch.undo()
    return len(parsed)


def test_a_definition_is_parsed_once(aws: Cloud, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_parsing(aws, machine, monkeypatch) == 1


def test_plain_moto_parses_for_every_execution(
    aws: Cloud, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto_as_shipped("AmazonStateLanguageParser.parse"):
        assert count_parsing(aws, machine, monkeypatch) == 3


def test_tasks_share_a_client() -> None:
    from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for  # noqa: PLC0415 - as the tasks call it

    assert boto_client_for("us-east-1", "sqs") is boto_client_for("us-east-1", "sqs")
    with moto_as_shipped("utils.boto_client.boto3"):
        assert boto_client_for("us-east-1", "sqs") is not boto_client_for("us-east-1", "sqs")


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-01-02T03:04:05.678901+00:00", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05.000Z"),
    ],
)
def test_times_are_shown_as_aws_shows_them(moment: str, shown: str) -> None:
    assert iso_time(datetime.fromisoformat(moment)) == shown


def hears_an_early_answer() -> bool:
    """Answer a token before anybody waits for its heartbeats, and tell whether it is noticed."""
    endpoint = CallbackEndpoint("token")
    endpoint.notify(CallbackOutcomeSuccess("token", "{}"))
    return endpoint.setup_heartbeat_endpoint(0).clear_and_wait()


@pytest.mark.usefixtures("aws")
def test_who_answers_a_token_at_once_is_heard() -> None:
    assert hears_an_early_answer()


@pytest.mark.usefixtures("aws")
def test_plain_moto_misses_an_early_answer() -> None:
    with moto_as_shipped("CallbackEndpoint.setup_heartbeat_endpoint"):
        assert not hears_an_early_answer()
