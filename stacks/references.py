"""Resolve the words of the grants table in one deployment: ARNs for policies, values for handlers.

ARNs of machines are made from their names, not taken from the machines, so that two of them may start each other.
"""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from config.settings import Settings
from stacks.access.personalize_actions import arn_paths
from stacks.data import DataStack
from stacks.permissions import (
    ExecutionsOf,
    Folder,
    Permission,
    PolicyResource,
    StageResources,
    StartableMachine,
    Variable,
)


class References:
    """What the words of the grants table mean in one stage."""

    def __init__(self, settings: Settings, data: DataStack) -> None:
        """Remember where the data is and how things are named."""
        self._settings = settings
        self._data = data
        self._arn_prefix = f"arn:{Aws.PARTITION}:personalize:{Aws.REGION}:{Aws.ACCOUNT_ID}"

    def machine(self, name: str) -> str:
        """Return the ARN of a state machine."""
        return machine_arn(self._settings, name)

    def executions(self, name: str) -> str:
        """Return the pattern of the ARNs of a machine's executions."""
        return _states_arn("execution", f"{self._settings.named(name)}:*")

    def statement(self, permission: Permission) -> iam.PolicyStatement:
        """Return `permission` as IAM wants it."""
        return iam.PolicyStatement(
            actions=list(permission.actions),
            resources=self._arns(permission.resource),
            conditions=dict(permission.condition) if permission.condition else None,
        )

    def value(self, variable: Variable | StartableMachine) -> str:
        """Return what a handler finds in an environment variable."""
        if isinstance(variable, StartableMachine):
            return self.machine(variable.name)
        return {
            Variable.PERSONALIZE_ARN_PREFIX: self._arn_prefix,
            Variable.PERSONALIZE_NAMES: str(self._settings.personalize_names),
            Variable.PERSONALIZE_ROLE_ARN: self._data.data_role.role_arn,
            Variable.BUCKET_NAME: self._data.bucket.bucket_name,
            Variable.LEDGER_TABLE_NAME: self._data.ledger.table_name,
            Variable.EVENT_BUS_NAME: self._settings.named(EVENTS),
            Variable.LEDGER_DAYS: str(self._settings.ledger_days),
            Variable.REDACT_CELLS: "yes" if self._settings.redact_cells else "no",
            Variable.TAG_IMPORTED: "no" if self._settings.imported_days is None else "yes",
        }[variable]

    def _bus_arn(self) -> str:
        bus = self._settings.named(EVENTS)
        return f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-bus/{bus}"

    def _arns(self, resource: PolicyResource | Folder | StageResources | StartableMachine | ExecutionsOf) -> list[str]:
        match resource:
            case Folder(prefix):
                return [self._data.bucket.arn_for_objects(f"{prefix}*")]
            case StageResources(nouns):
                paths = arn_paths(nouns, self._settings.personalize_names.patterns)
                return [f"{self._arn_prefix}:{path}" for path in paths]
            case StartableMachine(name):
                return [self.machine(name)]
            case ExecutionsOf(machine):
                return [self.executions(machine)]
        return {
            PolicyResource.NO_RESOURCE: ["*"],
            PolicyResource.DATA_ROLE: [self._data.data_role.role_arn],
            PolicyResource.BUCKET: [self._data.bucket.bucket_arn],
            PolicyResource.EVENT_BUS: [self._bus_arn()],
            PolicyResource.LEDGER: [self._data.ledger.table_arn],
        }[resource]


EVENTS: Final = "events"  # the stem of the bus's name


def machine_arn(settings: Settings, name: str) -> str:
    """Return the ARN of a state machine, made from its name."""
    return _states_arn("stateMachine", settings.named(name))


def _states_arn(resource: str, name: str) -> str:
    # Not by `format_arn`: where account and region are pinned it would name the partition.
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}:{name}"
