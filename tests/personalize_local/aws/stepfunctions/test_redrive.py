"""RedriveExecution: what runs again, what does not, and who is refused. The facts are the developer guide's."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import Correction, moto_as_shipped
from personalize_local.aws.stepfunctions import executions, redrive_eligibility
from personalize_local.aws.stepfunctions.executions import find_execution
from personalize_local.aws.stepfunctions.local_execution import LocalExecution
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud, Run
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine

States = dict[str, dict[str, Any]]
_numbers = itertools.count()


class Trial:
    """A queue that is told which tasks ran, and a bucket in which other tasks look for an object."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.name = aws, f"trial-{next(_numbers)}"
        self.sqs, self.s3, self.sfn = (aws.client(service) for service in ("sqs", "s3", "stepfunctions"))
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.s3.create_bucket(Bucket=self.name)

    def tell(self, word: str, next_state: str | None = None) -> dict[str, Any]:
        """Return a task that always succeeds, and is counted."""
        parameters = {"QueueUrl": self.url, "MessageBody": word}
        return _task("arn:aws:states:::sqs:sendMessage", parameters, next_state)

    def look_for(self, key: str, next_state: str | None = None) -> dict[str, Any]:
        """Return a task that fails until there is an object with this key."""
        parameters = {"Bucket": self.name, "Key": key}
        return _task("arn:aws:states:::aws-sdk:s3:getObjectTagging", parameters, next_state)

    def put(self, *keys: str) -> None:
        """Let the tasks that look for these keys succeed from now on."""
        for key in keys:
            self.s3.put_object(Bucket=self.name, Key=key, Body=b"")

    def told(self) -> dict[str, int]:
        """Return how often each word was told since the last time."""
        told: Counter[str] = Counter()
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                told[message["Body"]] += 1
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return dict(told)

    def redrive(self, arn: str) -> Run:
        """Redrive an execution and wait for its end."""
        self.sfn.redrive_execution(executionArn=arn)
        return self.aws.wait(arn)


def _task(resource: str, parameters: dict[str, Any], next_state: str | None) -> dict[str, Any]:
    then: dict[str, Any] = {"End": True} if next_state is None else {"Next": next_state}
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, "ResultPath": None, **then}


def machine_of(states: States, **members: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states, **members}


@pytest.fixture
def trial(aws: Cloud) -> Trial:
    return Trial(aws)


def kinds(trial: Trial, arn: str) -> list[str]:
    events = trial.sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    return [event["type"] for event in events]


def everything(trial: Trial) -> dict[str, Any]:
    """Return a machine with a branch that fails at its second state, then a map whose second item does."""
    good = machine_of({"Good": trial.tell("good")})
    bad = machine_of({"Before": trial.tell("before", "Bad"), "Bad": trial.look_for("branch")})
    choice = {"Variable": "$", "NumericEquals": 2, "Next": "Look"}
    item = machine_of(
        {
            "Item": trial.tell("item", "Choose"),
            "Choose": {"Type": "Choice", "Choices": [choice], "Default": "Well"},
            "Well": {"Type": "Succeed"},
            "Look": trial.look_for("item"),
        }
    )
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    items = {"ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": item, "Retry": retry}
    return machine_of(
        {
            "First": trial.tell("first", "Both"),
            "Both": {"Type": "Parallel", "Branches": [good, bad], "ResultPath": "$.both", "Next": "Each"},
            "Each": {"Type": "Map", **items, "End": True},
        }
    )


def drive_everything(trial: Trial, machine: MakeMachine) -> list[Any]:
    """Run it, mend the branch and redrive, mend the item and redrive; return what was told and how each ended."""
    run = trial.aws.run(machine(everything(trial)), {"items": [1, 2, 3]})
    outcome: list[Any] = [run.status, trial.told()]
    for key in ("branch", "item"):
        trial.put(key)
        run = trial.redrive(run.arn)
        outcome += [run.status, trial.told()]
    return [*outcome, run.output]


RIGHT = [
    *("FAILED", {"first": 1, "good": 1, "before": 1}),
    *("FAILED", {"item": 4}),  # two items, and both again in the retry; nothing of before
    *("SUCCEEDED", {"item": 1}),  # the third, which had not begun: the second goes on at its second state
    [1, 2, 3],
]


def test_only_what_did_not_succeed_runs_again(trial: Trial, machine: MakeMachine) -> None:
    assert drive_everything(trial, machine) == RIGHT


PLAIN: list[Callable[[], AbstractContextManager[Correction]]] = [
    lambda: moto_as_shipped("Environment.open_frame"),
    lambda: moto_as_shipped("Environment.open_inner_frame"),
    lambda: moto_as_shipped("Program.eval"),
    lambda: moto_as_shipped("CommonStateField._eval_body"),
    lambda: moto_as_shipped("CommonStateField._set_next"),
    lambda: moto_as_shipped("BranchesDecl._eval_body"),
    lambda: moto_as_shipped("InlineIterationComponent._eval_body"),
    lambda: moto_as_shipped("IterationWorker._eval_job"),
]


@pytest.mark.parametrize("plain", PLAIN)
def test_plain_moto_runs_too_much_or_nothing(
    trial: Trial, machine: MakeMachine, plain: Callable[[], AbstractContextManager[Correction]]
) -> None:
    with plain():
        assert drive_everything(trial, machine) != RIGHT


def drive_distributed(trial: Trial, machine: MakeMachine) -> str:
    patience = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 7_200, "MaxAttempts": 2}]
    item = machine_of({"Item": {**trial.look_for("item"), "Retry": patience}})
    processor = {**item, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    arn = trial.aws.start(machine(machine_of({"First": trial.tell("first", "Each"), "Each": each})), {"items": [1, 2]})
    while "MapRunStarted" not in kinds(trial, arn):
        time.sleep(0.01)
    time.sleep(0.3)  # the children's events are nowhere to be seen
    trial.sfn.stop_execution(executionArn=arn)
    trial.put("item")
    return trial.redrive(arn).status


def test_a_distributed_map_runs_again_as_a_whole(trial: Trial, machine: MakeMachine) -> None:
    """Ours: on AWS only its unsuccessful children are redriven."""
    assert drive_distributed(trial, machine) == "SUCCEEDED"
    assert trial.told() == {"first": 1}


def test_without_the_correction_its_children_write_into_their_parents_progress(
    trial: Trial, machine: MakeMachine
) -> None:
    with moto_as_shipped("DistributedIterationComponent._eval_body"):
        assert drive_distributed(trial, machine) == "FAILED"


def test_the_history_goes_on_and_a_redriven_task_is_not_entered_twice(trial: Trial, machine: MakeMachine) -> None:
    run = trial.aws.run(machine(machine_of({"Look": trial.look_for("it")})), {})
    before = kinds(trial, run.arn)
    trial.put("it")
    trial.redrive(run.arn)
    after = kinds(trial, run.arn)
    assert after[: len(before)] == before
    assert after[len(before) : len(before) + 2] == ["ExecutionRedriven", "TaskScheduled"]
    assert after[-2:] == ["TaskStateExited", "ExecutionSucceeded"]
    events = trial.sfn.get_execution_history(executionArn=run.arn)["events"]
    assert events[len(before)]["executionRedrivenEventDetails"] == {"redriveCount": 1}


def test_a_fail_state_is_entered_again_and_fails_again(trial: Trial, machine: MakeMachine) -> None:
    """Fact: "Reenters the Fail state and fails again"."""
    run = trial.aws.run(machine(machine_of({"Stop": {"Type": "Fail", "Error": "No"}})), {})
    again = trial.redrive(run.arn)
    assert (again.status, again.error, again.states) == ("FAILED", "No", ("Stop", "Stop"))


def test_variables_retries_and_the_count_of_redrives_are_as_on_aws(trial: Trial, machine: MakeMachine) -> None:
    states = {
        "Note": {"Type": "Pass", "Assign": {"word": "kept"}, "Next": "Look"},
        "Look": {**trial.look_for("it", "Say"), "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]},
        "Say": {"Type": "Pass", "Parameters": {"count.$": "$$.Execution.RedriveCount"}, "End": True},
    }
    run = trial.aws.run(machine(machine_of(states)), {})
    assert trial.redrive(run.arn).status == "FAILED"
    assert kinds(trial, run.arn).count("TaskFailed") == 4  # retries are counted from 0 again
    trial.put("it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalExecution, "pack", lambda _: None)  # which lets go of the variables
        assert trial.redrive(run.arn).output == {"count": 2}
    assert find_execution(run.arn).exec_worker.env.variable_store.get("word") == "kept"  # type: ignore[union-attr]


def test_outputs_that_are_too_large_together_are_made_again(trial: Trial, machine: MakeMachine) -> None:
    """Fact: after States.DataLimitExceeded a Parallel state is rerun with the branches that succeeded."""
    big = {"Type": "Pass", "Parameters": {"text.$": "$.text"}, "End": True}
    branch = machine_of({"Tell": trial.tell("branch", "Big"), "Big": big})
    arn = machine(machine_of({"Both": {"Type": "Parallel", "Branches": [branch, branch], "End": True}}))
    run = trial.aws.run(arn, {"text": "x" * 140_000})
    assert (run.status, run.error) == ("FAILED", "States.DataLimitExceeded")
    trial.told()
    assert trial.redrive(run.arn).error == "States.DataLimitExceeded"
    assert trial.told() == {"branch": 2}


def test_a_child_that_failed_is_started_anew(trial: Trial, machine: MakeMachine) -> None:
    """Ours: the guide says that a task is scheduled again; what that means for `.sync:2` is said nowhere."""
    child = machine(machine_of({"Tell": trial.tell("child", "Look"), "Look": trial.look_for("it")}))
    start = {"StateMachineArn": child}
    parent = machine(machine_of({"Run": _task("arn:aws:states:::states:startExecution.sync:2", start, None)}))
    run = trial.aws.run(parent, {})
    trial.put("it")
    assert (run.status, trial.redrive(run.arn).status, trial.told()) == ("FAILED", "SUCCEEDED", {"child": 2})
    assert len(trial.sfn.list_executions(stateMachineArn=child)["executions"]) == 2


LONG: States = {"Wait": {"Type": "Wait", "Seconds": 864_000, "Next": "Done"}, "Done": {"Type": "Succeed"}}


def test_a_stopped_execution_goes_on_and_can_be_stopped_again(trial: Trial, machine: MakeMachine) -> None:
    run = trial.aws.start(machine(machine_of(LONG)), {})
    for _ in range(2):
        trial.sfn.stop_execution(executionArn=run, error="Operator", cause="enough")
        assert trial.aws.wait(run).error == "Operator"
        trial.sfn.redrive_execution(executionArn=run)
        assert "error" not in trial.sfn.describe_execution(executionArn=run)
    trial.sfn.stop_execution(executionArn=run)
    assert find_execution(run).closed(10)
    assert [kind for kind in kinds(trial, run) if kind.startswith("Execution")] == [
        "ExecutionStarted",
        *["ExecutionAborted", "ExecutionRedriven"] * 2,
        "ExecutionAborted",
    ]


def test_the_time_limit_of_a_machine_counts_anew(trial: Trial, machine: MakeMachine) -> None:
    run = trial.aws.run(machine(machine_of(LONG, TimeoutSeconds=1)), {})
    began = time.monotonic()
    assert (run.status, trial.redrive(run.arn).status) == ("TIMED_OUT", "TIMED_OUT")
    assert time.monotonic() - began > 0.9
    assert find_execution(run.arn).closed(10)
    assert kinds(trial, run.arn).count("ExecutionTimedOut") == 2


def test_one_whose_task_has_not_ended_is_not_redriven_yet(
    trial: Trial, machine: MakeMachine, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "LAST_EVENT_SECONDS", 0.01)
    slow = function("import time\ndef handler(event, context): time.sleep(1)")
    arn = trial.aws.start(
        machine(machine_of({"Work": _task(f"arn:aws:lambda:us-east-1:123456789012:function:{slow}", {}, None)})), {}
    )
    while "LambdaFunctionStarted" not in kinds(trial, arn):
        time.sleep(0.01)
    trial.sfn.stop_execution(executionArn=arn)
    with pytest.raises(trial.sfn.exceptions.ExecutionNotRedrivable, match="under way"):
        trial.sfn.redrive_execution(executionArn=arn)


def described(trial: Trial, arn: str) -> dict[str, Any]:
    whole = trial.sfn.describe_execution(executionArn=arn)
    return {name: value for name, value in whole.items() if name.startswith("redrive")}


def failed(trial: Trial, machine: MakeMachine) -> str:
    return trial.aws.run(machine(machine_of({"Stop": {"Type": "Fail"}})), {}).arn


def refusal(trial: Trial, arn: str) -> str:
    """Return why a redrive is refused; DescribeExecution gives the same reason."""
    with pytest.raises(ClientError) as refused:
        trial.sfn.redrive_execution(executionArn=arn)
    assert refused.value.response["Error"]["Code"] == "ExecutionNotRedrivable"
    reason = refused.value.response["Error"]["Message"]
    known = described(trial, arn)
    assert (known["redriveStatus"], known["redriveStatusReason"]) == ("NOT_REDRIVABLE", reason)
    return str(reason)


def test_what_succeeded_and_what_runs_is_refused(trial: Trial, machine: MakeMachine) -> None:
    done = trial.aws.run(machine(machine_of({"Done": {"Type": "Succeed"}})), {}).arn
    assert refusal(trial, done) == "Execution is SUCCEEDED and cannot be redriven"
    running = trial.aws.start(machine(machine_of(LONG)), {})
    assert refusal(trial, running) == "Execution is RUNNING and cannot be redriven"
    trial.sfn.stop_execution(executionArn=running)


def test_what_is_too_old_too_long_or_of_a_deleted_machine_is_refused(
    trial: Trial, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = failed(trial, machine)
    execution = find_execution(arn)
    assert described(trial, arn) == {"redriveCount": 0, "redriveStatus": "REDRIVABLE"}
    with monkeypatch.context() as patched:
        patched.setattr(redrive_eligibility, "MAX_HISTORY_EVENTS", execution.history_length())
        assert refusal(trial, arn) == "Execution history event limit exceeded"
    with monkeypatch.context() as patched:
        patched.setattr(execution, "stop_date", CLOCK.now() - timedelta(days=14, hours=1))
        assert refusal(trial, arn) == "Execution redrivable period exceeded"
    with monkeypatch.context() as patched:
        patched.setattr(execution, "start_date", CLOCK.now() - timedelta(days=366))
        assert refusal(trial, arn) == "Execution has exceeded the max execution time"
    trial.sfn.delete_state_machine(stateMachineArn=execution.state_machine_arn)
    assert refusal(trial, arn) == "State machine is in DELETING status"


def test_too_many_running_executions_are_a_limit(
    trial: Trial, machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = failed(trial, machine)
    monkeypatch.setattr(executions, "MAX_OPEN_EXECUTIONS", 0)
    with pytest.raises(trial.sfn.exceptions.ExecutionLimitExceeded):
        trial.sfn.redrive_execution(executionArn=arn)


def test_a_repeated_request_redrives_once(trial: Trial, machine: MakeMachine) -> None:
    """Fact: the client tokens of the last redrives are idempotent for 15 minutes."""
    arn = failed(trial, machine)
    first = trial.sfn.redrive_execution(executionArn=arn, clientToken="one")
    trial.aws.wait(arn)
    again = trial.sfn.redrive_execution(executionArn=arn, clientToken="one")
    known = described(trial, arn)
    assert first["redriveDate"] == again["redriveDate"] == known["redriveDate"]
    assert known["redriveCount"] == 1
    CLOCK.wait(16 * 60)
    trial.sfn.redrive_execution(executionArn=arn, clientToken="one")
    assert described(trial, arn)["redriveCount"] == 2


def test_executions_are_listed_by_whether_they_were_redriven(trial: Trial, machine: MakeMachine) -> None:
    arn = machine(machine_of({"Stop": {"Type": "Fail"}}))
    first, second = (trial.aws.run(arn, {}).arn for _ in range(2))
    trial.redrive(first)

    def listed(**filters: str) -> list[str]:
        found = trial.sfn.list_executions(stateMachineArn=arn, **filters)["executions"]
        return [execution["executionArn"] for execution in found]

    assert listed() == [second, first]
    assert listed(redriveFilter="REDRIVEN", statusFilter="FAILED") == [first]
    assert listed(redriveFilter="NOT_REDRIVEN") == [second]
    assert listed(redriveFilter="REDRIVEN", statusFilter="SUCCEEDED") == []


def test_what_succeeded_keeps_no_inputs_of_its_states(trial: Trial, machine: MakeMachine) -> None:
    arn = trial.aws.run(machine(machine_of({"Done": {"Type": "Pass", "End": True}})), {"big": "x" * 1000}).arn
    assert json.dumps(vars(find_execution(arn).exec_worker.env.progress)["input"]) == "null"  # type: ignore[union-attr]
