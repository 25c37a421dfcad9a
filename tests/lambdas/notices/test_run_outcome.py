"""What a status event says about a run, in the shapes of the Step Functions developer guide."""

import json
from typing import Any

import pytest

from lambdas.notices.run_outcome import RunOutcome, group_of, read_outcome

STATES = "arn:aws:states:eu-west-1:123456789012"


def event(status: str, given: dict[str, Any], **detail: Any) -> dict[str, Any]:
    told = {"error": None, "cause": None, "startDate": 1_000, "stopDate": 61_000, "redriveCount": 0, "output": None}
    identity = {
        "executionArn": f"{STATES}:execution:personalize-dev-import-uploads:one",
        "stateMachineArn": f"{STATES}:stateMachine:personalize-dev-import-uploads",
    }
    return {"detail": {**identity, "status": status, "input": json.dumps(given), **told, **detail}}


def outcome(status: str, given: dict[str, Any], **detail: Any) -> RunOutcome:
    return read_outcome(event(status, given, **detail), "personalize-dev")


def test_it_is_known_which_execution_waits_for_this_one() -> None:
    starter = f"{STATES}:execution:parent:one"
    nested = {"datasetGroup": "films", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": starter}
    assert outcome("FAILED", nested, error="Any", cause="any").started_by == starter
    assert outcome("SUCCEEDED", {"datasetGroup": "films"}).started_by is None


def test_what_is_under_way_has_no_reason_yet() -> None:
    told = outcome("RUNNING", {"datasetGroup": "films"}, stopDate=None)
    assert (told.error, told.reason, told.outputs) == ("", "", ())


def test_the_innermost_reason_is_told_also_where_it_was_left_unexplained() -> None:
    lambdas_own = json.dumps({"errorType": "LimitExceededException", "errorMessage": "campaigns: 5"})
    child = json.dumps({"ExecutionArn": "arn", "Status": "FAILED", "Error": "States.TaskFailed", "Cause": lambdas_own})
    told = outcome("FAILED", {"datasetGroup": "films", "dataset": "items"}, error="States.TaskFailed", cause=child)
    assert (told.machine, told.group, told.resource) == ("import_uploads", "films", "dataset items")
    assert (told.error, told.reason) == ("LimitExceededException", "campaigns: 5")


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [("TIMED_OUT", "States.Timeout", "time was up, 0:01:00"), ("ABORTED", "Aborted", "stopped it 0:01:00 after")],
)
def test_what_has_no_cause_is_told_from_the_times(status: str, error: str, words: str) -> None:
    told = outcome(status, {"datasetGroup": "films"})
    assert told.error == error
    assert words in told.reason


def test_an_input_that_was_too_large_for_the_event_is_told_without_its_group() -> None:
    too_large = event("FAILED", {}, error="States.Runtime", cause="no such path", inputDetails={"included": False})
    too_large["detail"]["input"] = None
    read = read_outcome(too_large, "personalize-dev")
    assert read is not None
    assert (read.group, read.error, read.reason) == ("unknown", "States.Runtime", "no such path")


def test_a_batch_that_is_ready_says_where_it_lies() -> None:
    job = {"resource": {"jobOutput": {"s3DataDestination": {"path": "s3://bucket/results/films/weekly/one/"}}}}
    told = outcome("SUCCEEDED", {"datasetGroup": "films"}, output=json.dumps({"summary": "1 job", "jobs": [job]}))
    assert (told.reason, told.outputs) == ("1 job", ("s3://bucket/results/films/weekly/one/",))


@pytest.mark.parametrize(
    "given",
    [
        {"datasetGroup": "films"},
        {"datasetGroup": {"name": "films"}},
        {"request": "requests/films.json"},
        {"request": "runs/films/0123456789abcdef.json"},
        {"request": {"datasetGroup": {"name": "films"}}},
        {"type": "dataset_group", "request": {"name": "films"}},
        {"type": "filter", "request": {"datasetGroupArn": "arn:aws:personalize:eu-west-1:1:dataset-group/films"}},
    ],
)
def test_every_input_that_names_a_group_is_understood(given: dict[str, Any]) -> None:
    assert group_of(given) == "films"


@pytest.mark.parametrize("given", [{}, {"request": "s3://elsewhere"}, {"type": "campaign", "request": {"name": "any"}}])
def test_an_input_that_names_none_is_told_too(given: dict[str, Any]) -> None:
    assert group_of(given) == "unknown"
