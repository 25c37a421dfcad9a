"""Choose the files of the next import job and put them where the service finds them."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from lambdas.gateways.concurrency import AT_ONCE
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import Objects
from lambdas.uploads.claims import Claims
from lambdas.uploads.import_state import Errand
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.staging import Staging

logger, tracer, metrics = Logger(), Tracer(), Metrics()
pool = Config(max_pool_connections=AT_ONCE)
table = DynamoTable(boto3.client("dynamodb", config=pool), os.environ["LEDGER_TABLE_NAME"])
ledger, leases = (
    Ledger(table, int(os.environ["LEDGER_DAYS"])),
    Leases(table, lambda _: True),
)  # takes no lease, so asks after no execution
objects = Objects(boto3.client("s3", config=pool), os.environ["BUCKET_NAME"])
staging = Staging(ledger, leases, Claims(ledger, leases), objects, os.environ["PERSONALIZE_ROLE_ARN"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the import job to run as the next step, or what to do when there is none."""
    errand = Errand.model_validate(event)
    logger.append_keys(lane=errand.lane)
    work = staging.stage(errand)
    logger.info("staged", extra={"phase": work.phase, "job": work.batch.name if work.batch else None})
    metrics.add_metric("FilesStaged", MetricUnit.Count, work.batch.files if work.batch else 0)
    return work.model_dump(mode="json")
