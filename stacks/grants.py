"""What each handler may do and what it is told: one row per handler, and nothing that is not in its row.

A row's Personalize actions are computed from the resource table, so a new resource type brings its permissions along.
"""

from collections.abc import Mapping
from typing import Final

from lambdas.personalize.resources import RESOURCES
from stacks.permissions import Grant, Permission, Place, Variable, allow

_ALL: Final = tuple(row.pascal for row in RESOURCES.values())
_UPDATABLE: Final = tuple(row.pascal for row in RESOURCES.values() if row.updatable)
_DELETABLE: Final = tuple(row.pascal for row in RESOURCES.values() if row.deletable)


def _personalize(*operations: str) -> Permission:
    return allow(Place.PERSONALIZE, *(f"personalize:{operation}" for operation in operations))


def _list(*plurals: str) -> Permission:
    # IAM knows no resource for Personalize's List operations: with any other than "*" they are denied.
    return allow(Place.NO_RESOURCE, *(f"personalize:List{plural}" for plural in plurals))


def _start(place: Place) -> Permission:
    return allow(place, "states:StartExecution")


def _look_at(place: Place) -> Permission:
    return allow(place, "states:DescribeExecution")


_PASS_DATA_ROLE: Final = Permission(
    Place.DATA_ROLE, ("iam:PassRole",), {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
)
_KEEP_LEDGER: Final = allow(
    Place.LEDGER, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"
)
_TAKE_LEASE: Final = allow(Place.LEDGER, "dynamodb:GetItem", "dynamodb:UpdateItem")
_READ_REQUESTS: Final = allow(Place.REQUESTS, "s3:GetObject")
_FIND_OBJECTS: Final = allow(Place.BUCKET, "s3:ListBucket")  # without it a missing key answers 403, not 404
_READ_UPLOADS: Final = allow(Place.UPLOADS, "s3:GetObject")
_START_ANY: Final = (
    *(_start(place) for place in (Place.IMPORT_UPLOADS, Place.PIPELINE, Place.RUN_BATCH_INFERENCE)),
    *(_look_at(place) for place in (Place.IMPORT_UPLOADS_RUNS, Place.PIPELINE_RUNS, Place.RUN_BATCH_INFERENCE_RUNS)),
)

_PREFIX: Final = Variable.PERSONALIZE_ARN_PREFIX
_ROLE: Final = Variable.PERSONALIZE_ROLE_ARN
_BUCKET: Final = Variable.BUCKET_NAME
_LEDGER: Final = Variable.LEDGER_TABLE_NAME
_DAYS: Final = Variable.LEDGER_DAYS
_ANY_MACHINE: Final = (Variable.IMPORT_UPLOADS_ARN, Variable.PIPELINE_ARN, Variable.RUN_BATCH_INFERENCE_ARN)

_RESOURCE_VERBS: Final[Mapping[str, Grant]] = {
    # Read.
    "describe_resource": Grant(
        (_personalize(*(f"Describe{noun}" for noun in _ALL)), _list(*(f"{noun}s" for noun in _ALL))), told=(_PREFIX,)
    ),
    # Spend: the only one that may hand the data role to the service.
    "create_resource": Grant(
        (_personalize("TagResource", *(f"Create{noun}" for noun in _ALL)), _PASS_DATA_ROLE), told=(_PREFIX,)
    ),
    # Change.
    "update_resource": Grant((_personalize(*(f"Update{noun}" for noun in _UPDATABLE)),), told=(_PREFIX,)),
    # Destroy.
    "delete_resource": Grant((_personalize(*(f"Delete{noun}" for noun in _DELETABLE)),), told=(_PREFIX,)),
}

_DECISIONS: Final[Mapping[str, Grant]] = {
    "plan_request": Grant(
        (
            _READ_REQUESTS,
            # The input of a batch job is checked before it costs one.
            _READ_UPLOADS,
            allow(Place.REJECTED, "s3:PutObject"),
            _FIND_OBJECTS,
            _TAKE_LEASE,
            _look_at(Place.PIPELINE_RUNS),
            _personalize("DescribeCampaign"),
            _list("Recipes", "SolutionVersions"),
        ),
        told=(_PREFIX, _ROLE, _BUCKET, _LEDGER),
    ),
    "judge_solution": Grant((_personalize("GetSolutionMetrics", "DescribeCampaign"),), told=(_PREFIX,)),
    "explain_failure": Grant(),
}

_UPLOADS: Final[Mapping[str, Grant]] = {
    "record_uploads": Grant(
        (_KEEP_LEDGER, *_START_ANY), told=(_BUCKET, _LEDGER, _DAYS, *_ANY_MACHINE), timeout_seconds=60
    ),
    "claim_uploads": Grant(
        (
            _KEEP_LEDGER,
            _look_at(Place.IMPORT_UPLOADS_RUNS),
            _personalize("DescribeDataset", "DescribeSchema"),
            _list("DatasetImportJobs"),
        ),
        told=(_LEDGER, _DAYS, _PREFIX),
        timeout_seconds=300,
    ),
    "inspect_upload": Grant(
        (_KEEP_LEDGER, _READ_REQUESTS, _READ_UPLOADS, _FIND_OBJECTS, allow(Place.REJECTED, "s3:PutObject")),
        told=(_BUCKET, _LEDGER, _DAYS),
        timeout_seconds=900,
        memory_mib=1769,  # the size at which Lambda gives a whole vCPU
    ),
    "stage_uploads": Grant(
        (
            _KEEP_LEDGER,
            _READ_UPLOADS,
            _FIND_OBJECTS,
            allow(Place.UPLOADS, "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
            allow(Place.STAGING, "s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectTagging"),
        ),
        told=(_BUCKET, _LEDGER, _DAYS, _ROLE),
        timeout_seconds=900,
    ),
    "settle_uploads": Grant(
        (
            _KEEP_LEDGER,
            _READ_REQUESTS,
            _READ_UPLOADS,
            _FIND_OBJECTS,
            _start(Place.IMPORT_UPLOADS),
            _look_at(Place.IMPORT_UPLOADS_RUNS),
            _personalize("DescribeDataset", "DescribeSchema"),
            _list("DatasetImportJobs"),
        ),
        told=(_BUCKET, _LEDGER, _DAYS, _PREFIX, Variable.IMPORT_UPLOADS_ARN),
        timeout_seconds=900,
    ),
    "decide_retrain": Grant(
        (
            _KEEP_LEDGER,
            _READ_REQUESTS,
            _FIND_OBJECTS,
            _start(Place.PIPELINE),
            _look_at(Place.PIPELINE_RUNS),
            _list("Solutions", "SolutionVersions"),
        ),
        told=(_BUCKET, _LEDGER, _PREFIX, Variable.PIPELINE_ARN),
        timeout_seconds=60,
    ),
    "sweep_uploads": Grant(
        (
            _KEEP_LEDGER,
            allow(Place.BUCKET, "s3:ListBucketVersions"),
            _personalize("DescribeDataset"),
            *_START_ANY,
        ),
        told=(_BUCKET, _LEDGER, _DAYS, _PREFIX, *_ANY_MACHINE),
        timeout_seconds=900,
    ),
}

GRANTS: Final[Mapping[str, Grant]] = {**_RESOURCE_VERBS, **_DECISIONS, **_UPLOADS}
