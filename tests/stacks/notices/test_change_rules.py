"""Which status events are published: all of stages, the endings of what changes resources."""

import json
from pathlib import Path

import statemachines
from lambdas.notices.status_changes import RESOURCE_MACHINES
from tests.stacks.notices.test_outcome_notices import resources

ENDINGS = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def test_every_machine_is_in_one_of_the_rules(dev: Path) -> None:
    rules = {one["Name"]: one for one in resources(dev, "AWS::Events::Rule")}
    runs, changes = rules["personalize-dev-run-changed"], rules["personalize-dev-resource-changed"]
    for rule, machines, statuses in (
        (runs, set(statemachines.names()) - set(RESOURCE_MACHINES), {"RUNNING", *ENDINGS}),
        (changes, set(RESOURCE_MACHINES), ENDINGS),
    ):
        detail = rule["EventPattern"]["detail"]
        assert set(detail["status"]) == statuses
        named = json.dumps(detail["stateMachineArn"])
        assert all(f'personalize-dev-{name.replace("_", "-")}"' in named for name in machines)
        assert named.count("stateMachine:") == len(machines)
        assert "DeadLetterConfig" in rule["Targets"][0]
