"""Grant the handlers that tell people what stands in their rows."""

from collections.abc import Mapping
from typing import Final

import statemachines
from lambdas.notices.application_parameters import HANDED_OVER
from lambdas.personalize.resources import RESOURCES
from stacks.access.personalize_actions import personalize_actions
from stacks.permissions import NAMING, Grant, PolicyResource, StartableMachine, Variable, allow

_DESCRIBED: Final = ("Solution", *(RESOURCES[noun].pascal for noun in HANDED_OVER))
_KEEP_PARAMETERS: Final = (
    "ssm:DeleteParameters",
    "ssm:GetParameter",
    "ssm:GetParametersByPath",
    "ssm:PutParameter",
)
_LOOK_AT_RUNS: Final = tuple(
    allow(StartableMachine(name).executions, "states:DescribeExecution") for name in statemachines.names()
)

NOTICE_GRANTS: Final[Mapping[str, Grant]] = {
    "tell_outcome": Grant(
        (allow(PolicyResource.NOTICES, "sns:Publish"), allow(PolicyResource.LEDGER, "dynamodb:UpdateItem")),
        environment=(Variable.NOTICES_TOPIC_ARN, Variable.LEDGER_TABLE_NAME, Variable.OWNER),
    ),
    "publish_change": Grant(
        (
            allow(PolicyResource.EVENT_BUS, "events:PutEvents"),
            allow(PolicyResource.PARAMETERS, *_KEEP_PARAMETERS),
            personalize_actions(*(f"Describe{noun}" for noun in _DESCRIBED)),
            *_LOOK_AT_RUNS,
        ),
        environment=(*NAMING, Variable.EVENT_BUS_NAME, Variable.OWNER),
    ),
}
