"""Grant the handlers of whole dataset groups what stands in their rows."""

from collections.abc import Mapping
from typing import Final

from lambdas.gateways.event_schedules import SCHEDULABLE_MACHINES
from stacks.permissions import Grant, Permission, PolicyResource, StartableMachine, Variable, allow

# What schedules of a request start; EventBridge Scheduler does it, by a role of its own.
SCHEDULABLE: Final = tuple(StartableMachine(name) for name in SCHEDULABLE_MACHINES)

_SCHEDULES: Final = (Variable.SCHEDULE_GROUP, Variable.SCHEDULER_ROLE_ARN, Variable.DEAD_LETTERS_ARN)
_PASS_SCHEDULER_ROLE: Final = Permission(
    PolicyResource.SCHEDULER_ROLE,
    ("iam:PassRole",),
    {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
)
# Scheduler's List operation is one of those for which IAM knows no resource.
_LIST_SCHEDULES: Final = allow(PolicyResource.NO_RESOURCE, "scheduler:ListSchedules")

GROUP_GRANTS: Final[Mapping[str, Grant]] = {
    "set_schedules": Grant(
        (
            allow(
                PolicyResource.SCHEDULES,
                *(f"scheduler:{verb}Schedule" for verb in ("Create", "Delete", "Get", "Update")),
            ),
            _LIST_SCHEDULES,
            _PASS_SCHEDULER_ROLE,
        ),
        environment=(*_SCHEDULES, *SCHEDULABLE),
        timeout_seconds=120,
    ),
}
