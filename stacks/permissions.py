"""The words of the grants table: places, variables, permissions and grants. Plain values; no CDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """What a permission is about; `stacks.places` knows its ARNs."""

    NO_RESOURCE = "operations that IAM cannot narrow to a resource"
    PERSONALIZE = "every Personalize resource of this account and region"
    DATA_ROLE = "the role that Personalize assumes"
    BUCKET = "the bucket itself"
    REQUESTS = "requests/ in the bucket"
    UPLOADS = "uploads/ in the bucket"
    STAGING = "staging/ in the bucket"
    REJECTED = "rejected/ in the bucket"
    LEDGER = "the ledger and its index of open rows"
    IMPORT_UPLOADS = "the machine import_uploads"
    PIPELINE = "the machine pipeline"
    RUN_BATCH_INFERENCE = "the machine run_batch_inference"
    IMPORT_UPLOADS_RUNS = "executions of import_uploads"
    PIPELINE_RUNS = "executions of pipeline"
    RUN_BATCH_INFERENCE_RUNS = "executions of run_batch_inference"


class Variable(StrEnum):
    """What a handler may be told through its environment; `stacks.places` knows the values."""

    PERSONALIZE_ARN_PREFIX = "PERSONALIZE_ARN_PREFIX"
    PERSONALIZE_ROLE_ARN = "PERSONALIZE_ROLE_ARN"
    BUCKET_NAME = "BUCKET_NAME"
    LEDGER_TABLE_NAME = "LEDGER_TABLE_NAME"
    LEDGER_DAYS = "LEDGER_DAYS"
    IMPORT_UPLOADS_ARN = "IMPORT_UPLOADS_ARN"
    PIPELINE_ARN = "PIPELINE_ARN"
    RUN_BATCH_INFERENCE_ARN = "RUN_BATCH_INFERENCE_ARN"


@dataclass(frozen=True)
class Permission:
    """Leave to call `actions` on one place, possibly on a condition."""

    place: Place
    actions: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True)
class Grant:
    """What one handler may do, what it is told, and how much time and memory its work takes."""

    permissions: tuple[Permission, ...] = ()
    told: tuple[Variable, ...] = ()
    timeout_seconds: int = 30
    memory_mib: int = 512  # CPU comes with memory: with less, importing boto3 and pydantic takes many seconds

    @property
    def actions(self) -> frozenset[str]:
        """Every action of the row, whatever it is about."""
        return frozenset(action for permission in self.permissions for action in permission.actions)


def allow(place: Place, *actions: str) -> Permission:
    """Return leave to call `actions` on `place`."""
    return Permission(place, tuple(sorted(actions)))
