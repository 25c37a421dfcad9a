"""What executions come to, as events of the stage."""

import json
from typing import Any, Final

import pytest

from lambdas.notices.run_outcome import read_outcome
from lambdas.notices.stage_events import ResourceChange, RunStatusChange, StageEvent
from lambdas.notices.status_changes import StatusChanges
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.stage_names import StageNames

PREFIX: Final = "arn:aws:personalize:eu-west-1:123456789012"
STATES: Final = "arn:aws:states:eu-west-1:123456789012"
PARENT: Final = f"{STATES}:execution:shop-dev-update-campaign:p"
STARTED_BY: Final = {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": PARENT}
CAMPAIGN: Final = {"type": "campaign", "request": {"name": "dev-films", "solutionVersionArn": "v"}}


class Inputs:
    """The inputs of executions that a test tells of."""

    def __init__(self, **inputs: Any) -> None:
        self.inputs = inputs

    def input_of(self, execution_arn: str) -> str | None:
        return json.dumps(self.inputs[execution_arn]) if execution_arn in self.inputs else None


def meaning(machine: str, status: str, given: Any, inputs: Inputs | None = None, **detail: Any) -> StageEvent | None:
    personalize = PersonalizeGateway(None, PREFIX, StageNames.read("dev-*"))
    execution = {
        "executionArn": f"{STATES}:execution:shop-dev-{machine}:one",
        "stateMachineArn": f"{STATES}:stateMachine:shop-dev-{machine}",
        "status": status,
        "startDate": 0,
        "input": json.dumps(given),
        **{key: json.dumps(value) if key == "output" else value for key, value in detail.items()},
    }
    run = read_outcome({"detail": execution}, "shop-dev")
    return StatusChanges("shop-dev", personalize, inputs or Inputs()).meaning(run)


def resource(*arguments: Any, **detail: Any) -> ResourceChange:
    event = meaning(*arguments, **detail)
    assert isinstance(event, ResourceChange)
    return event


def test_a_stage_begins_and_ends() -> None:
    began = meaning("train-solution", "RUNNING", {"datasetGroup": "movies", "solution": "films", **STARTED_BY})
    assert isinstance(began, RunStatusChange)
    assert (began.machine, began.subject, began.status, began.reason) == (
        "train_solution",
        "solution films",
        "RUNNING",
        None,
    )
    assert (began.dataset_group, began.started_by) == ("movies", PARENT)
    ended = meaning("train-solution", "SUCCEEDED", {"datasetGroup": "movies"}, output={"summary": "all well"})
    assert isinstance(ended, RunStatusChange)
    assert (ended.reason, ended.error) == ("all well", None)


def test_what_was_found_as_it_should_be_is_no_change() -> None:
    assert meaning("ensure-resource", "SUCCEEDED", CAMPAIGN, output={"change": "NONE", "arn": "a"}) is None


def test_an_execution_that_began_before_changes_were_told_is_no_change() -> None:
    assert meaning("ensure-resource", "SUCCEEDED", CAMPAIGN, output={"arn": "a"}) is None


def test_the_group_is_known_by_who_started_it() -> None:
    output = {"change": "CREATED", "arn": f"{PREFIX}:campaign/dev-films", "status": "ACTIVE", "resource": {}}
    given = {**CAMPAIGN, **STARTED_BY}
    inputs = Inputs(**{PARENT: {"request": "requests/movies.json"}})
    told = resource("ensure-resource", "SUCCEEDED", given, inputs, output=output)
    assert (told.dataset_group, told.name, told.change, told.status) == ("movies", "dev-films", "CREATED", "ACTIVE")
    forgotten = resource("ensure-resource", "SUCCEEDED", given, output=output)
    assert forgotten.dataset_group is None


def test_what_was_started_by_hand_tells_its_group_itself_without_the_prefix() -> None:
    request = {"name": "dev-seen", "datasetGroupArn": f"{PREFIX}:dataset-group/dev-movies"}
    told = resource(
        "ensure-resource", "SUCCEEDED", {"type": "filter", "request": request}, output={"change": "CREATED"}
    )
    assert told.dataset_group == "movies"


def test_what_was_removed_has_its_arn_from_the_input() -> None:
    output = {"change": "DELETED", "phase": "ABSENT"}
    told = resource("remove-resource", "SUCCEEDED", CAMPAIGN, output=output)
    assert (told.arn, told.change, told.status) == (f"{PREFIX}:campaign/dev-films", "DELETED", None)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_failure_is_told_with_its_reason(status: str) -> None:
    told = resource("ensure-resource", status, CAMPAIGN, error="ResourceFailed", cause="x" * 10_000)
    assert (told.change, told.error) == ("FAILED", "ResourceFailed")
    assert 4_000 <= len(told.reason or "") <= 4_001


def test_an_input_of_nonsense_is_told_too() -> None:
    told = resource("ensure-resource", "FAILED", {"type": 7, "request": "no"}, error="E", cause="c")
    assert (told.resource_type, told.name, told.arn) == ("7", None, None)
