"""Grant the handlers of whole dataset groups what stands in their rows."""

from collections.abc import Mapping
from typing import Final

from lambdas.bucket_layout import REJECTED, REQUESTS, RESULTS, RUNS, STAGING, UPLOADS
from lambdas.gateways.event_schedules import SCHEDULABLE_MACHINES
from lambdas.personalize.resources import RESOURCES
from stacks.access.personalize_actions import personalize_actions, personalize_lists
from stacks.permissions import NAMING, Folder, Grant, Permission, PolicyResource, StartableMachine, Variable, allow

# What schedules of a request start; EventBridge Scheduler does it, by a role of its own.
SCHEDULABLE: Final = tuple(StartableMachine(name) for name in SCHEDULABLE_MACHINES)

# What schedules are told, and so compared with.
SCHEDULE_VARIABLES: Final[tuple[Variable | StartableMachine, ...]] = (
    Variable.SCHEDULE_GROUP,
    Variable.SCHEDULER_ROLE_ARN,
    Variable.DEAD_LETTERS_ARN,
    *SCHEDULABLE,
)
_PASS_SCHEDULER_ROLE: Final = Permission(
    PolicyResource.SCHEDULER_ROLE,
    ("iam:PassRole",),
    {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
)
# Scheduler's List operation is one of those for which IAM knows no resource.
_LIST_SCHEDULES: Final = allow(PolicyResource.NO_RESOURCE, "scheduler:ListSchedules")
LOOK_AT_SCHEDULES: Final = (allow(PolicyResource.SCHEDULES, "scheduler:GetSchedule"), _LIST_SCHEDULES)

_FOLDERS: Final = (UPLOADS, REQUESTS, STAGING, RESULTS, REJECTED, RUNS)
_LISTED: Final = (
    "SolutionVersions",
    *(f"{row.pascal}s" for row in RESOURCES.values() if row.deletable),
    *(f"{row.pascal}{row.listed_part.capitalize()}" for row in RESOURCES.values() if row.listed_part),
)
_HOLDERS: Final = ("pipeline", "import_uploads", "teardown", "forget_users")  # of a group's leases
_LOOK_AT_HOLDERS: Final = tuple(
    allow(StartableMachine(name).executions, "states:DescribeExecution") for name in _HOLDERS
)
_ERASE: Final = ("s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectVersion")
_KEEP_ROWS: Final = tuple(f"dynamodb:{verb}" for verb in ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"))
_KEEP_LEASES: Final = allow(PolicyResource.LEDGER, "dynamodb:GetItem", "dynamodb:UpdateItem")

GROUP_GRANTS: Final[Mapping[str, Grant]] = {
    "plan_teardown": Grant(
        (
            personalize_actions(
                "ListTagsForResource", *(f"Describe{row.pascal}" for row in RESOURCES.values() if row.deletable)
            ),
            personalize_lists(*_LISTED),
            _KEEP_LEASES,
            *_LOOK_AT_HOLDERS,
        ),
        environment=(*NAMING, Variable.LEDGER_TABLE_NAME, Variable.OWNER),
        timeout_seconds=300,
    ),
    "plan_forgetting": Grant(
        (
            *(allow(Folder(folder), "s3:GetObject", "s3:GetObjectVersion") for folder in (UPLOADS, STAGING)),
            allow(Folder(UPLOADS), "s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
            allow(Folder(STAGING), "s3:PutObject", "s3:PutObjectTagging"),
            allow(Folder(REJECTED), "s3:PutObject"),
            allow(PolicyResource.BUCKET, "s3:ListBucket"),
            _KEEP_LEASES,
            *_LOOK_AT_HOLDERS,
            personalize_actions("DescribeDatasetImportJob"),
        ),
        environment=(
            *NAMING,
            Variable.PERSONALIZE_ROLE_ARN,
            Variable.BUCKET_NAME,
            Variable.LEDGER_TABLE_NAME,
        ),
        timeout_seconds=300,
        memory_mib=1769,
    ),
    "erase_users": Grant(
        (
            *(allow(Folder(folder), *_ERASE) for folder in (UPLOADS, STAGING, RESULTS, REJECTED)),
            allow(Folder(UPLOADS), "s3:AbortMultipartUpload", "s3:PutObject"),
            allow(PolicyResource.BUCKET, "s3:ListBucket", "s3:ListBucketVersions"),
            allow(PolicyResource.LEDGER, *_KEEP_ROWS),
        ),
        environment=(Variable.BUCKET_NAME, Variable.LEDGER_TABLE_NAME, Variable.LEDGER_DAYS),
        timeout_seconds=900,
        memory_mib=1769,
    ),
    "release_group": Grant(
        (
            allow(PolicyResource.LEDGER, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
            allow(StartableMachine("import_uploads"), "states:StartExecution"),
            *_LOOK_AT_HOLDERS,
        ),
        environment=(Variable.LEDGER_TABLE_NAME, Variable.LEDGER_DAYS, StartableMachine("import_uploads")),
        timeout_seconds=60,
    ),
    "clear_group": Grant(
        (
            allow(PolicyResource.LEDGER, "dynamodb:DeleteItem", "dynamodb:Query"),
            allow(PolicyResource.BUCKET, "s3:ListBucketVersions"),
            *(allow(Folder(folder), "s3:DeleteObjectVersion") for folder in _FOLDERS),
        ),
        environment=(Variable.BUCKET_NAME, Variable.LEDGER_TABLE_NAME, Variable.LEDGER_DAYS),
        timeout_seconds=900,
    ),
    "set_schedules": Grant(
        (
            allow(
                PolicyResource.SCHEDULES,
                *(f"scheduler:{verb}Schedule" for verb in ("Create", "Delete", "Get", "Update")),
            ),
            _LIST_SCHEDULES,
            _PASS_SCHEDULER_ROLE,
        ),
        environment=SCHEDULE_VARIABLES,
        timeout_seconds=120,
    ),
}
