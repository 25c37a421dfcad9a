"""Resolve the words of the grants table in one deployment: ARNs for policies, values for handlers.

ARNs of machines are made from their names, not taken from the machines, so that two of them may start each other.
"""

from collections.abc import Iterator
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from config.settings import Settings
from lambdas.notices.application_parameters import parameters_path
from stacks.access.personalize_actions import arn_paths
from stacks.data import DataStack
from stacks.groups.group_schedules import GroupSchedules
from stacks.permissions import (
    ExecutionsOf,
    Folder,
    Grant,
    Permission,
    PolicyResource,
    StageResources,
    StartableMachine,
    Variable,
)
from stacks.protection.encryption import use_of_key


class References:
    """What the words of the grants table mean in one stage."""

    def __init__(self, settings: Settings, data: DataStack, schedules: GroupSchedules) -> None:
        """Remember where the data and the schedules are and how things are named."""
        self._settings = settings
        self._data = data
        self._schedules = schedules
        self._arn_prefix = f"arn:{Aws.PARTITION}:personalize:{Aws.REGION}:{Aws.ACCOUNT_ID}"

    def machine(self, name: str) -> str:
        """Return the ARN of a state machine."""
        return machine_arn(self._settings, name)

    def executions(self, name: str) -> str:
        """Return the pattern of the ARNs of a machine's executions."""
        return _states_arn("execution", f"{self._settings.named(name)}:*")

    def versions(self, module: str) -> str:
        """Return the pattern of the ARNs of all versions of a handler's function."""
        return f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:function:{self._settings.named(module)}:*"

    def statement(self, permission: Permission) -> iam.PolicyStatement:
        """Return `permission` as IAM wants it."""
        return iam.PolicyStatement(
            actions=list(permission.actions),
            resources=self._arns(permission.resource),
            conditions=dict(permission.condition) if permission.condition else None,
        )

    def use_of_key(self, grant: Grant) -> Iterator[iam.PolicyStatement]:
        """Yield leave to use the stage's key, if it has one, for what `grant` reads and writes."""
        if self._data.key_arn:
            yield from use_of_key(grant, self._data.key_arn)

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
            Variable.OWNER: f"{self._settings.name}-{self._settings.stage}",
            Variable.SCHEDULE_GROUP: self._schedules.group_name,
            Variable.SCHEDULER_ROLE_ARN: self._schedules.role.role_arn,
            Variable.DEAD_LETTERS_ARN: self._schedules.dead_letters_arn,
            Variable.LEDGER_DAYS: str(self._settings.ledger_days),
            Variable.NOTICES_TOPIC_ARN: self._topic_arn(),
            Variable.KMS_KEY_ARN: self._data.key_arn or "",
            Variable.REDACT_CELLS: "yes" if self._settings.redact_cells else "no",
            Variable.TAG_IMPORTED: "no" if self._settings.imported_days is None else "yes",
        }[variable]

    def _parameters_arns(self) -> list[str]:
        path = parameters_path(f"{self._settings.name}-{self._settings.stage}")
        base = f"arn:{Aws.PARTITION}:ssm:{Aws.REGION}:{Aws.ACCOUNT_ID}:parameter{path}"
        return [base.removesuffix("/"), f"{base}*"]  # who asks for all below a path needs leave for the path

    def _bus_arn(self) -> str:
        bus = self._settings.named(EVENTS)
        return f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-bus/{bus}"

    def _topic_arn(self) -> str:
        return f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self._settings.named(NOTICES)}"

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
            PolicyResource.NOTICES: [self._topic_arn()],
            PolicyResource.PARAMETERS: self._parameters_arns(),
            PolicyResource.SCHEDULES: [self._schedules.schedule_arns],
            PolicyResource.SCHEDULER_ROLE: [self._schedules.role.role_arn],
        }[resource]


EVENTS: Final = "events"  # the stem of the bus's name
NOTICES: Final = "notices"  # and of the topic's


def machine_arn(settings: Settings, name: str) -> str:
    """Return the ARN of a state machine, made from its name."""
    return _states_arn("stateMachine", settings.named(name))


def _states_arn(resource: str, name: str) -> str:
    # Not by `format_arn`: where account and region are pinned it would name the partition.
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}:{name}"
