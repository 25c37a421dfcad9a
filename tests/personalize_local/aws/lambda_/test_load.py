"""Many executions, iterations, children and handlers at once: nothing lost, nothing left behind."""

import os

from personalize_local.aws.stepfunctions.executions import all_executions
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine

PARENTS = int(os.environ.get("LOAD_PARENTS", "15"))
ITEMS = 8

SOURCE = """
    def handler(event, context):
        if event["number"] % 4 == 3: raise ValueError("every fourth")
        return event["number"]
"""


def test_parents_maps_and_children_all_come_to_their_end(
    aws: Cloud, machine: MakeMachine, function: MakeFunction
) -> None:
    work = {
        "Type": "Task",
        "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{function(SOURCE)}",
        "ResultPath": "$.answer",
        "Catch": [{"ErrorEquals": ["ValueError"], "ResultPath": "$.failure", "Next": "Pause"}],
        "Next": "Pause",
    }
    states = {"Work": work, "Pause": {"Type": "Wait", "Seconds": 300, "End": True}}
    child = machine({"StartAt": "Work", "States": states})
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child, "Input": {"number.$": "$"}},
        "ResultSelector": {"output.$": "$.Output"},
        "End": True,
    }
    processor = {"StartAt": "Start", "States": {"Start": start}}
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 3, "ItemProcessor": processor, "End": True}
    parent = machine({"StartAt": "Each", "States": {"Each": each}})

    started = [aws.start(parent, {"items": list(range(ITEMS))}) for _ in range(PARENTS)]
    aws.quiesce(timeout_seconds=120)

    for arn in started:
        run = aws.wait(arn)
        assert run.status == "SUCCEEDED"
        answers = [item["output"].get("answer", "failed") for item in run.output]
        assert answers == [number if number % 4 != 3 else "failed" for number in range(ITEMS)]
    assert len([one for one in all_executions() if one.state_machine_arn == child]) == PARENTS * ITEMS
