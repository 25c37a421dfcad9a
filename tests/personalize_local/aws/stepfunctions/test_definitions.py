"""Definitions are checked when a machine is made."""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

import statemachines
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.stepfunctions.definitions import missing_targets
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import ROLE, MakeMachine

DONE = {"Type": "Succeed"}
BRANCH = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "Next": "Lost"}}}


def with_state(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "First", "States": {"First": state, "Done": DONE}}


@pytest.mark.parametrize(
    ("definition", "where"),
    [
        ({"StartAt": "Lost", "States": {"Done": DONE}}, "/StartAt"),
        (with_state({"Type": "Pass", "Next": "Lost"}), "/States/First/Next"),
        (with_state({"Type": "Choice", "Choices": [], "Default": "Lost"}), "/States/First/Default"),
        (
            with_state({"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "Lost"}]}),
            "/States/First/Choices[0]/Next",
        ),
        (
            with_state(
                {"Type": "Parallel", "Branches": [], "Catch": [{"ErrorEquals": ["E"], "Next": "Lost"}], "End": True}
            ),
            "/States/First/Catch[0]/Next",
        ),
        (
            with_state({"Type": "Parallel", "Branches": [BRANCH], "End": True}),
            "/States/First/Branches[0]/States/Inner/Next",
        ),
        (
            with_state({"Type": "Map", "ItemProcessor": BRANCH, "End": True}),
            "/States/First/ItemProcessor/States/Inner/Next",
        ),
    ],
)
def test_a_transition_to_nowhere_is_found_with_its_place(definition: dict[str, Any], where: str) -> None:
    (found,) = missing_targets(definition)
    assert found.startswith("MISSING_TRANSITION_TARGET: ")
    assert found.endswith(f"target: Lost at {where}")


@pytest.mark.parametrize("name", statemachines.names())
def test_our_own_machines_lead_somewhere(name: str) -> None:
    definition = statemachines.definition(name)
    assert list(missing_targets(definition)) == []
    broken = copy.deepcopy(definition)
    broken["StartAt"] = "Nowhere"
    assert len(list(missing_targets(broken))) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{not json", "INVALID_JSON_DESCRIPTION"),
        ('{"StartAt": "A", "States": {"A": {"Type": "Passs", "End": true}}}', "SCHEMA_VALIDATION_FAILED"),
        ('{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}', "MISSING_TRANSITION_TARGET"),
    ],
)
def test_a_bad_definition_is_refused_as_by_the_service(aws: Cloud, text: str, code: str) -> None:
    sfn = aws.client("stepfunctions")
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=code):
        sfn.create_state_machine(name="bad", definition=text, roleArn=ROLE)


def test_plain_moto_takes_a_transition_to_nowhere(aws: Cloud, machine: MakeMachine) -> None:
    with moto_as_shipped("StepFunctionsParserBackend._validate_definition"):
        arn = machine({"StartAt": "Nowhere", "States": {"Done": DONE}})
    assert aws.run(arn, {}).status == "FAILED"
    with pytest.raises(ClientError, match="InvalidDefinition"):
        aws.client("stepfunctions").update_state_machine(
            stateMachineArn=arn, definition=json.dumps({"StartAt": "Nowhere", "States": {"Done": DONE}})
        )
