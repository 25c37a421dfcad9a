"""Grant each handler what stands in its row, permissions and environment, and nothing else.

A row's Personalize actions are computed from the resource table, so a new resource type brings its permissions along.
"""

from collections.abc import Mapping
from typing import Final

from lambdas.bucket_layout import REJECTED, REQUESTS, RUNS, STAGING, UPLOADS
from lambdas.personalize.resources import RESOURCES, children
from stacks.access.personalize_actions import personalize_actions, personalize_lists
from stacks.groups.group_grants import GROUP_GRANTS, LOOK_AT_SCHEDULES, SCHEDULE_VARIABLES
from stacks.notices.notice_grants import NOTICE_GRANTS
from stacks.permissions import NAMING, Folder, Grant, Permission, PolicyResource, StartableMachine, Variable, allow

# What handlers may start: a machine more is a row more here, and a mention in the grants that need it.
_ENSURE_RESOURCE: Final = StartableMachine("ensure_resource")
_IMPORT_UPLOADS: Final = StartableMachine("import_uploads")
_PIPELINE: Final = StartableMachine("pipeline")
_RUN_BATCH_INFERENCE: Final = StartableMachine("run_batch_inference")
_FORGET_USERS: Final = StartableMachine("forget_users")
STARTABLE: Final = (_IMPORT_UPLOADS, _PIPELINE, _RUN_BATCH_INFERENCE, _FORGET_USERS)  # by what lands in the bucket

_ALL: Final = tuple(row.pascal for row in RESOURCES.values())
_UPDATABLE: Final = tuple(row.pascal for row in RESOURCES.values() if row.updatable)
_STOPPABLE: Final = tuple(row.pascal for row in RESOURCES.values() if row.stoppable)
_DELETABLE: Final = tuple(row.pascal for row in RESOURCES.values() if row.deletable)

_PARTS: Final = tuple(f"{row.pascal}{row.listed_part.capitalize()}" for row in RESOURCES.values() if row.listed_part)


_LOOK_AT_ALL: Final = (
    personalize_actions("ListTagsForResource", *(f"Describe{noun}" for noun in _ALL)),
    personalize_lists(*(f"{noun}s" for noun in _ALL), *_PARTS),
)
# CloudWatch knows no resources for these.
_READ_METRICS: Final = allow(PolicyResource.NO_RESOURCE, "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics")


def _start(machine: StartableMachine) -> Permission:
    return allow(machine, "states:StartExecution")


def _look_at(machine: StartableMachine) -> Permission:
    return allow(machine.executions, "states:DescribeExecution")


_PASS_DATA_ROLE: Final = Permission(
    PolicyResource.DATA_ROLE, ("iam:PassRole",), {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
)
# A transaction needs the permissions of its parts and none of its own.
_RECORD: Final = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
_RECORD_IN_LEDGER: Final = allow(PolicyResource.LEDGER, *_RECORD)
_KEEP_LEDGER: Final = allow(PolicyResource.LEDGER, "dynamodb:DeleteItem", *_RECORD)
_TAKE_LEASE: Final = allow(PolicyResource.LEDGER, "dynamodb:GetItem", "dynamodb:UpdateItem")
_READ_REQUESTS: Final = allow(Folder(REQUESTS), "s3:GetObject")
_FIND_OBJECTS: Final = allow(PolicyResource.BUCKET, "s3:ListBucket")  # without it a missing key answers 403, not 404
_READ_UPLOADS: Final = allow(Folder(UPLOADS), "s3:GetObject")
# Who may hold the lease of a group's runs, and those of its datasets.
_LOOK_AT_RUNS: Final = tuple(map(_look_at, (_PIPELINE, _FORGET_USERS, StartableMachine("teardown"))))
_LOOK_AT_IMPORTS: Final = tuple(map(_look_at, (_IMPORT_UPLOADS, _FORGET_USERS)))
_START_ANY: Final = (*map(_start, STARTABLE), *map(_look_at, STARTABLE), _LOOK_AT_RUNS[-1])

_ROLE: Final = Variable.PERSONALIZE_ROLE_ARN
_BUCKET: Final = Variable.BUCKET_NAME
_LEDGER: Final = Variable.LEDGER_TABLE_NAME
_DAYS: Final = Variable.LEDGER_DAYS
_REDACT: Final = Variable.REDACT_CELLS
_TAG: Final = Variable.TAG_IMPORTED
_KEY: Final = Variable.KMS_KEY_ARN
_BUS: Final = Variable.EVENT_BUS_NAME

_RESOURCE_VERBS: Final[Mapping[str, Grant]] = {
    # Read.
    "describe_resource": Grant(_LOOK_AT_ALL, environment=NAMING),
    # Spend: the only one that may hand the data role to the service.
    "create_resource": Grant(
        (personalize_actions("TagResource", *(f"Create{noun}" for noun in _ALL)), _PASS_DATA_ROLE),
        environment=(*NAMING, Variable.OWNER),
    ),
    # Change.
    "update_resource": Grant(
        (personalize_actions("TagResource", *(f"Update{noun}" for noun in _UPDATABLE)),), environment=NAMING
    ),
    "start_resource": Grant((personalize_actions(*(f"Start{noun}" for noun in _STOPPABLE)),), environment=NAMING),
    "stop_resource": Grant((personalize_actions(*(f"Stop{noun}" for noun in _STOPPABLE)),), environment=NAMING),
    # Destroy, after a look at what else there is.
    "delete_resource": Grant(
        (
            personalize_actions(*(f"{verb}{noun}" for noun in _DELETABLE for verb in ("Delete", "Describe"))),
            personalize_lists(*(f"{row.pascal}s" for noun in RESOURCES for row in children(noun)), *_PARTS),
        ),
        environment=NAMING,
    ),
}

_DECISIONS: Final[Mapping[str, Grant]] = {
    "plan_request": Grant(
        (
            _READ_REQUESTS,
            # The input of a batch job is checked before it costs one.
            _READ_UPLOADS,
            allow(Folder(REJECTED), "s3:PutObject"),
            # What a run was planned from is kept for its stages.
            allow(Folder(RUNS), "s3:GetObject", "s3:PutObject"),
            _FIND_OBJECTS,
            _TAKE_LEASE,
            # Approvals, pins and rollbacks are written down.
            allow(PolicyResource.LEDGER, "dynamodb:DeleteItem", "dynamodb:Query"),
            *_LOOK_AT_RUNS,
            # What the run will do is said before it does anything.
            *_LOOK_AT_ALL,
            personalize_actions("GetSolutionMetrics"),
            personalize_lists("Recipes"),
            *LOOK_AT_SCHEDULES,
            _READ_METRICS,
            allow(PolicyResource.EVENT_BUS, "events:PutEvents"),  # that a run is over budget
        ),
        environment=(*NAMING, _ROLE, _BUCKET, _LEDGER, _DAYS, _BUS, _KEY, _REDACT, *SCHEDULE_VARIABLES),
        timeout_seconds=900,  # for the check of 1 GB of batch input, on a whole vCPU
        memory_mib=1769,
    ),
    "decide_training": Grant(
        (
            allow(PolicyResource.LEDGER, "dynamodb:Query"),
            personalize_actions("DescribeSolutionVersion"),
            personalize_lists("Solutions", "SolutionVersions"),
            _READ_METRICS,  # of PutEvents requests
        ),
        environment=(*NAMING, _LEDGER, _DAYS),
    ),
    "judge_solution": Grant(
        (
            personalize_actions("GetSolutionMetrics", "DescribeCampaign", "DescribeSolutionVersion"),
            allow(PolicyResource.LEDGER, "dynamodb:GetItem", "dynamodb:UpdateItem"),
            allow(PolicyResource.EVENT_BUS, "events:PutEvents"),
        ),
        environment=(*NAMING, _LEDGER, Variable.EVENT_BUS_NAME),
    ),
    "record_serving": Grant(
        (allow(PolicyResource.LEDGER, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),),
        environment=(_LEDGER,),
    ),
    "review_capacity": Grant(
        (
            _READ_REQUESTS,
            _FIND_OBJECTS,
            allow(PolicyResource.LEDGER, "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:UpdateItem"),
            personalize_actions(
                "DescribeCampaign", "DescribeSolutionVersion", "DescribeRecommender", "DescribeSolution"
            ),
            personalize_lists("Campaigns", "Recommenders", "Solutions"),
            _READ_METRICS,
            # What it lowers and stops is lowered and stopped by those whose right that is.
            _start(_ENSURE_RESOURCE),
            _look_at(_ENSURE_RESOURCE),
            allow(PolicyResource.EVENT_BUS, "events:PutEvents"),
        ),
        environment=(*NAMING, _BUCKET, _LEDGER, Variable.EVENT_BUS_NAME, _ENSURE_RESOURCE),
        timeout_seconds=300,
    ),
    "summarise_run": Grant(),
    "explain_failure": Grant(),
}

_UPLOADS: Final[Mapping[str, Grant]] = {
    "record_uploads": Grant(
        (_RECORD_IN_LEDGER, allow(Folder(REJECTED), "s3:PutObject"), *_START_ANY),
        environment=(_BUCKET, _LEDGER, _DAYS, *STARTABLE),
        timeout_seconds=60,
    ),
    "claim_uploads": Grant(
        (
            _KEEP_LEDGER,
            *_LOOK_AT_IMPORTS,
            personalize_actions("DescribeDataset", "DescribeSchema"),
            personalize_lists("DatasetImportJobs"),
        ),
        environment=(_LEDGER, _DAYS, *NAMING),
        timeout_seconds=300,
    ),
    "inspect_upload": Grant(
        (_KEEP_LEDGER, _READ_REQUESTS, _READ_UPLOADS, _FIND_OBJECTS, allow(Folder(REJECTED), "s3:PutObject")),
        environment=(_BUCKET, _LEDGER, _DAYS, _REDACT),
        timeout_seconds=900,
        memory_mib=1769,  # the size at which Lambda gives a whole vCPU
    ),
    "stage_uploads": Grant(
        (
            _KEEP_LEDGER,
            _READ_REQUESTS,
            _READ_UPLOADS,
            _FIND_OBJECTS,
            allow(Folder(REJECTED), "s3:PutObject"),
            allow(Folder(UPLOADS), "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
            allow(Folder(STAGING), "s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectTagging"),
        ),
        environment=(_BUCKET, _LEDGER, _DAYS, _ROLE, _REDACT, Variable.PERSONALIZE_NAMES),
        timeout_seconds=900,
    ),
    "settle_uploads": Grant(
        (
            _KEEP_LEDGER,
            _READ_UPLOADS,
            _FIND_OBJECTS,
            allow(Folder(UPLOADS), "s3:PutObjectVersionTagging"),
            _start(_IMPORT_UPLOADS),
            *_LOOK_AT_IMPORTS,
            personalize_actions("DescribeDataset", "DescribeSchema"),
            personalize_lists("DatasetImportJobs"),
        ),
        environment=(_BUCKET, _LEDGER, _DAYS, *NAMING, _TAG, _IMPORT_UPLOADS),
        timeout_seconds=900,
    ),
    "release_uploads": Grant(
        (_KEEP_LEDGER, _READ_REQUESTS, _FIND_OBJECTS, _start(_IMPORT_UPLOADS), *_LOOK_AT_IMPORTS),
        environment=(_BUCKET, _LEDGER, _DAYS, _IMPORT_UPLOADS),
        timeout_seconds=900,
    ),
    "decide_retrain": Grant(
        (
            _KEEP_LEDGER,
            _READ_REQUESTS,
            _FIND_OBJECTS,
            _start(_PIPELINE),
            *_LOOK_AT_RUNS,
            personalize_lists("Solutions", "SolutionVersions"),
        ),
        environment=(_BUCKET, _LEDGER, _DAYS, *NAMING, _PIPELINE),
        timeout_seconds=60,
    ),
    "review_data": Grant(
        (
            allow(PolicyResource.LEDGER, "dynamodb:GetItem", "dynamodb:Query"),
            personalize_actions("DescribeDataset"),
            personalize_lists("DatasetImportJobs"),
        ),
        environment=(_LEDGER, _DAYS, *NAMING),
    ),
    "sweep_uploads": Grant(
        (
            _KEEP_LEDGER,
            allow(PolicyResource.BUCKET, "s3:ListBucketVersions"),
            allow(Folder(REJECTED), "s3:PutObject"),
            personalize_actions("DescribeDataset"),
            _READ_REQUESTS,
            _FIND_OBJECTS,
            personalize_lists("Solutions", "SolutionVersions"),
            *_START_ANY,
        ),
        environment=(_BUCKET, _LEDGER, _DAYS, *NAMING, *STARTABLE),
        timeout_seconds=900,
    ),
}

GRANTS: Final[Mapping[str, Grant]] = {**_RESOURCE_VERBS, **_DECISIONS, **_UPLOADS, **GROUP_GRANTS, **NOTICE_GRANTS}
