"""Read what waits and was never read, line by line, before it costs an import job."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from lambdas.gateways.concurrency import AT_ONCE
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import Objects
from lambdas.uploads.claims import Claims
from lambdas.uploads.group_policies import upload_policy
from lambdas.uploads.import_state import Errand
from lambdas.uploads.inspection import Inspecting
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger

RESERVE_MILLISECONDS = 60_000  # for writing down how far it came

logger, tracer, metrics = Logger(), Tracer(), Metrics()
pool = Config(max_pool_connections=AT_ONCE)
table = DynamoTable(boto3.client("dynamodb", config=pool), os.environ["LEDGER_TABLE_NAME"])
ledger, leases = (
    Ledger(table, int(os.environ["LEDGER_DAYS"])),
    Leases(table, lambda _: True),
)  # takes no lease, so asks after no execution
objects = Objects(boto3.client("s3", config=pool), os.environ["BUCKET_NAME"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return INSPECT as the next step if time ran out, else STAGE."""
    errand = Errand.model_validate(event)
    logger.append_keys(lane=errand.lane)
    inspecting = Inspecting(
        ledger,
        leases,
        Claims(ledger, leases),
        objects,
        out_of_time=lambda: context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS,
    )
    work = inspecting.inspect(errand, upload_policy(objects, errand.datasetGroup))
    logger.info("inspected", extra={"phase": work.phase})
    metrics.add_metric("Inspections", MetricUnit.Count, 1)
    return work.model_dump(mode="json")
