"""Define the words of the grants table: resources, variables, permissions and grants, as plain values without CDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PolicyResource(StrEnum):
    """What a permission is about, where there is one of it; `stacks.references` knows the ARNs."""

    NO_RESOURCE = "operations that IAM cannot narrow to a resource"
    DATA_ROLE = "the role that Personalize assumes"
    BUCKET = "the bucket itself"
    EVENT_BUS = "the stage's bus"
    LEDGER = "the ledger"
    NOTICES = "the stage's topic of notices"
    PARAMETERS = "the parameters that the stage's applications read"
    SCHEDULES = "the stage's schedules"
    SCHEDULER_ROLE = "the role that EventBridge Scheduler assumes"


@dataclass(frozen=True)
class Folder:
    """The objects below one prefix of the bucket."""

    prefix: str


@dataclass(frozen=True)
class StageResources:
    """The Personalize resources of some types, by noun, that bear the stage's names."""

    nouns: tuple[str, ...]


@dataclass(frozen=True)
class StartableMachine:
    """A state machine that handlers start: the file's stem. Handlers find its ARN in `variable`."""

    name: str

    @property
    def variable(self) -> str:
        """The environment variable that holds the machine's ARN."""
        return f"{self.name.upper()}_ARN"

    @property
    def executions(self) -> "ExecutionsOf":
        """What is started of it."""
        return ExecutionsOf(self.name)


@dataclass(frozen=True)
class ExecutionsOf:
    """The executions of one state machine."""

    machine: str


class Variable(StrEnum):
    """What a handler may find in its environment, beside the ARNs of machines; `stacks.references` knows the values."""

    PERSONALIZE_ARN_PREFIX = "PERSONALIZE_ARN_PREFIX"
    PERSONALIZE_NAMES = "PERSONALIZE_NAMES"
    PERSONALIZE_ROLE_ARN = "PERSONALIZE_ROLE_ARN"
    BUCKET_NAME = "BUCKET_NAME"
    LEDGER_TABLE_NAME = "LEDGER_TABLE_NAME"
    LEDGER_DAYS = "LEDGER_DAYS"
    EVENT_BUS_NAME = "EVENT_BUS_NAME"
    REDACT_CELLS = "REDACT_CELLS"
    TAG_IMPORTED = "TAG_IMPORTED"
    KMS_KEY_ARN = "KMS_KEY_ARN"  # empty where the stage has no key
    SCHEDULE_GROUP = "SCHEDULE_GROUP"
    SCHEDULER_ROLE_ARN = "SCHEDULER_ROLE_ARN"
    OWNER = "OWNER"
    DEAD_LETTERS_ARN = "DEAD_LETTERS_ARN"
    NOTICES_TOPIC_ARN = "NOTICES_TOPIC_ARN"


NAMING: Final = (Variable.PERSONALIZE_ARN_PREFIX, Variable.PERSONALIZE_NAMES)  # of who has a gateway to Personalize


@dataclass(frozen=True)
class Permission:
    """The right to call `actions` on one resource, possibly on a condition."""

    resource: PolicyResource | Folder | StageResources | StartableMachine | ExecutionsOf
    actions: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True)
class Grant:
    """What one handler may do, what is in its environment, and how much time and memory its work takes."""

    permissions: tuple[Permission, ...] = ()
    environment: tuple[Variable | StartableMachine, ...] = ()
    timeout_seconds: int = 30
    memory_mib: int = 512  # CPU comes with memory: with less, importing boto3 and pydantic takes many seconds

    @property
    def actions(self) -> frozenset[str]:
        """Every action of the row, whatever it is about."""
        return frozenset(action for permission in self.permissions for action in permission.actions)

    @property
    def variables(self) -> Mapping[str, Variable | StartableMachine]:
        """The names of its environment variables, and what each stands for."""
        return {v.variable if isinstance(v, StartableMachine) else v.value: v for v in self.environment}


def allow(
    resource: PolicyResource | Folder | StageResources | StartableMachine | ExecutionsOf, *actions: str
) -> Permission:
    """Return leave to call `actions` on `resource`."""
    return Permission(resource, tuple(sorted(actions)))
