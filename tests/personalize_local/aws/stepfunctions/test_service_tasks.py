"""Tasks that call services, nested executions above all."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.responses import StepFunctionResponse

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.stepfunctions.executions import all_executions
from personalize_local.aws.stepfunctions.interpreter import shared_client
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeMachine, RunStates

ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Stop", "States": {"Stop": {"Type": "Fail", "Error": "OurOwn", "Cause": "because"}}}
LONG = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}}


def nested(arn: str, pattern: str = ".sync:2", **members: Any) -> dict[str, Any]:
    """Return a state that runs another machine and waits for it."""
    parameters = {"StateMachineArn": arn, "Input": {"from.$": "$$.Execution.Id"}}
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    return {"Nested": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **members}}


@pytest.mark.parametrize(("pattern", "is_parsed"), [(".sync", False), (".sync:2", True)])
def test_a_nested_execution_returns_what_came_out(
    run: RunStates, machine: MakeMachine, pattern: str, is_parsed: bool
) -> None:
    """Fact: `.sync` returns the output as text, `.sync:2` as JSON (Step Functions guide, "startExecution")."""
    ended = run(nested(machine(ECHO), pattern))
    output = ended.output["Output"]
    assert (output if is_parsed else json.loads(output)) == {"from": ended.arn}
    assert ended.output["Status"] == "SUCCEEDED"


def test_a_nested_execution_that_fails_tells_why_in_the_cause(run: RunStates, machine: MakeMachine) -> None:
    """Fact: the parent sees States.TaskFailed; the child's description, error included, is the cause."""
    ended = run(nested(machine(FAIL)))
    assert (ended.status, ended.error) == ("FAILED", "States.TaskFailed")
    child = json.loads(str(ended.cause))
    assert (child["Status"], child["Error"], child["Cause"]) == ("FAILED", "OurOwn", "because")


def test_the_states_error_of_a_child_can_be_caught_outside_a_branch(run: RunStates, machine: MakeMachine) -> None:
    branch = {"StartAt": "Nested", "States": nested(machine(FAIL))}
    catch = [{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.failure", "Next": "Failed"}]
    states = {
        "Try": {"Type": "Parallel", "Branches": [branch], "Catch": catch, "End": True},
        "Failed": {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"},
    }
    ended = run(states)
    assert ended.states == ("Try", "Nested", "Failed")
    assert json.loads(str(ended.cause))["Error"] == "OurOwn"


def test_starting_and_not_waiting_returns_the_arn(run: RunStates, machine: MakeMachine) -> None:
    ended = run(nested(machine(LONG), pattern=""))
    assert set(ended.output) == {"ExecutionArn", "StartDate"}


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_a_child_is_stopped_with_its_parent(aws: Cloud, machine: MakeMachine, pattern: str) -> None:
    """Fact: Step Functions makes a best effort to stop the job of a `.sync` task whose execution is stopped."""
    child = machine(LONG)
    arn = aws.start(machine({"StartAt": "Nested", "States": nested(child, pattern)}), {})
    assert stop_and_look(aws, arn, child) == "ABORTED"


def test_plain_moto_leaves_the_child_running(aws: Cloud, machine: MakeMachine) -> None:
    child = machine(LONG)
    with moto_as_shipped("StateTaskServiceSfn._eval_service_task"):
        arn = aws.start(machine({"StartAt": "Nested", "States": nested(child, "")}), {})
        assert stop_and_look(aws, arn, child) == "RUNNING"


def test_a_child_is_stopped_when_a_sibling_fails(run: RunStates, machine: MakeMachine) -> None:
    child = machine(LONG)
    branches = [{"StartAt": "Nested", "States": nested(child)}, {"StartAt": "Pause", "States": PAUSE_AND_FAIL}]
    assert run({"Both": {"Type": "Parallel", "Branches": branches, "End": True}}).error == "OurOwn"
    (left,) = [one for one in all_executions() if one.state_machine_arn == child]
    assert left.ended.wait(60)
    assert left.status == "ABORTED"


PAUSE_AND_FAIL = {"Pause": {"Type": "Wait", "Seconds": 1800, "Next": "Stop"}, **FAIL["States"]}  # type: ignore[dict-item]


@contextmanager
def refused_starts(count: int) -> Iterator[None]:
    """Let Step Functions refuse the interpreter's next starts for coming too fast."""
    events = shared_client("stepfunctions", current_cloud.REGION).meta.events
    refusals = iter(range(count))

    def refuse(**_: Any) -> Any:
        if next(refusals, None) is None:
            return None
        said = {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        metadata = {"HTTPStatusCode": 400, "RequestId": "1"}
        return AWSResponse("http://localhost", 400, HTTPHeaders(), None), {"Error": said, "ResponseMetadata": metadata}

    events.register_first("before-call.sfn.StartExecution", refuse)
    try:
        yield
    finally:
        events.unregister("before-call.sfn.StartExecution", refuse)


def test_a_start_that_came_too_fast_has_the_name_that_is_retried(run: RunStates, machine: MakeMachine) -> None:
    child = machine(ECHO)
    with refused_starts(1):
        refused = run(nested(child))
    assert refused.error == "StepFunctions.AWSStepFunctionsException"
    assert "Rate exceeded" in str(refused.cause)
    assert "Error Code: ThrottlingException" in str(refused.cause)
    retrier = {"ErrorEquals": ["StepFunctions.AWSStepFunctionsException"], "IntervalSeconds": 1, "MaxAttempts": 3}
    with refused_starts(2):
        assert run(nested(child, Retry=[retrier])).status == "SUCCEEDED"


def test_plain_moto_makes_up_a_name(run: RunStates, machine: MakeMachine) -> None:
    child = machine(ECHO)
    with refused_starts(1), moto_as_shipped("StateTaskServiceSfn._from_error"):
        assert run(nested(child)).error == "StepFunctions.ThrottlingExceptionException"


def count_looks(run: RunStates, child: str, pattern: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often a child that takes half a simulated hour is described by its waiting parent."""
    looks: list[object] = []
    describe = StepFunctionResponse.describe_execution

    def counted(response: StepFunctionResponse) -> Any:
        looks.append(response)
        return describe(response)

    monkeypatch.setattr(StepFunctionResponse, "describe_execution", counted)
    run(nested(child, pattern))
    monkeypatch.undo()
    return len(looks)


def test_a_waiting_parent_looks_once(run: RunStates, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    child = machine({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1800, "End": True}}})
    assert count_looks(run, child, ".sync", monkeypatch) == 1
    assert count_looks(run, child, ".sync:2", monkeypatch) == 1
    with moto_as_shipped("StateTaskServiceSfn._build_sync_resolver"):
        assert count_looks(run, child, ".sync", monkeypatch) > 1
    with moto_as_shipped("StateTaskServiceSfn._build_sync2_resolver"):
        assert count_looks(run, child, ".sync:2", monkeypatch) > 1


def stop_and_look(aws: Cloud, parent: str, child: str) -> str:
    """Stop the parent once its child runs; return the child's status a moment later."""
    deadline = time.monotonic() + 60
    while not (
        running := [one for one in all_executions() if one.state_machine_arn == child and not one.ended.is_set()]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    aws.client("stepfunctions").stop_execution(executionArn=parent)
    running[0].ended.wait(1)
    status = running[0].status
    running[0].stop(running[0].start_date, None, None)
    return str(status)


@pytest.mark.usefixtures("aws")
def test_a_token_is_not_awaited_once_the_execution_was_stopped() -> None:
    """Stopped, moto's interpreter skips the timeout, and takes whatever is on its stack for it."""
    stopped = SimpleNamespace(is_running=lambda: False)
    endpoint = SimpleNamespace(callback_id="id", wait=threading.Event().wait)
    parts: dict[str, Any] = {"timeout_seconds": {"no": "number"}, "callback_endpoint": endpoint}
    task = SimpleNamespace(_wait_for_task_token_timeout=lambda timeout, endpoint: endpoint.wait(timeout))
    parts["heartbeat_endpoint"] = None
    callback: Any = StateTaskServiceCallback
    assert callback._eval_wait_for_task_token(task, env=stopped, **parts) is None
    with moto_as_shipped("StateTaskServiceCallback._eval_wait_for_task_token"), pytest.raises(TypeError):
        callback._eval_wait_for_task_token(task, env=stopped, **parts)


DESCRIBE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:personalize:listSchemas",
    "Parameters": {"MaxResults": 5},
    "End": True,
}


def test_sdk_integrations_use_step_functions_casing(run: RunStates) -> None:
    assert "Schemas" in run({"Ask": DESCRIBE}).output


def test_plain_moto_passes_the_parameters_on_as_they_are(run: RunStates, machine: MakeMachine) -> None:
    arn = machine(ECHO)
    with moto_as_shipped("StateTaskService._normalise_parameters"):
        ended = run(nested(arn))
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")


def test_plain_moto_passes_the_answer_on_as_it_is(run: RunStates, machine: MakeMachine) -> None:
    arn = machine(ECHO)
    with moto_as_shipped("StateTaskService._normalise_response"):
        assert run(nested(arn)).status == "FAILED"


def test_dates_of_an_answer_are_json(aws: Cloud, run: RunStates) -> None:
    """Fact: SDK integrations show times as ISO text; the optimised ones as milliseconds."""
    aws.client("s3").create_bucket(Bucket="dated")
    listed = run({"List": {**DESCRIBE, "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets", "Parameters": {}}})
    assert listed.output["Buckets"][0]["CreationDate"].endswith("Z")


START = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:sfn:listStateMachines",
    "Parameters": {},
    "End": True,
}


def test_service_names_of_sdk_integrations_are_known(run: RunStates) -> None:
    events = {**START, "Resource": "arn:aws:states:::aws-sdk:eventbridge:listEventBuses"}
    assert run({"Ask": START}).status == "SUCCEEDED"
    assert run({"Ask": events}).status == "SUCCEEDED"


def test_plain_moto_does_not_know_eventbridge(run: RunStates) -> None:
    events = {**START, "Resource": "arn:aws:states:::aws-sdk:eventbridge:listEventBuses"}
    with moto_as_shipped("StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES"):
        assert run({"Ask": events}).status == "FAILED"


NO_BUCKET = {
    **DESCRIBE,
    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
    "Parameters": {"Bucket": "no-such-bucket-anywhere", "Key": "key"},
}


def test_errors_of_sdk_integrations_bear_the_service_in_pascal_case(run: RunStates) -> None:
    """Fact: "S3.NoSuchBucketException", as the guide's example "S3.NoSuchKeyException"."""
    assert run({"Get": NO_BUCKET}).error == "S3.NoSuchBucketException"


def test_plain_moto_writes_the_service_in_small(run: RunStates) -> None:
    with moto_as_shipped("service.state_task_service_aws_sdk._SERVICE_ERROR_NAMES"):
        assert run({"Get": NO_BUCKET}).error == "s3.NoSuchBucketException"


def test_unknown_machines_are_an_error_of_step_functions(aws: Cloud, run: RunStates) -> None:
    ended = run(nested("arn:aws:states:us-east-1:123456789012:stateMachine:nobody"))
    assert "StateMachineDoesNotExist" in str(ended.error)
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        aws.start("arn:aws:states:us-east-1:123456789012:stateMachine:nobody", {})
