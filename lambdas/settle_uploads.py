"""Write down what became of an import job's files, and look what comes next; after a failure, give the lease back."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from lambdas.gateways.concurrency import AT_ONCE
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions
from lambdas.uploads.claims import Claims
from lambdas.uploads.dataset_facts import Datasets
from lambdas.uploads.group_policies import upload_policy
from lambdas.uploads.import_starter import Waker
from lambdas.uploads.import_state import Errand
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.settlement import Settling

logger, tracer, metrics = Logger(), Tracer(), Metrics()
pool = Config(max_pool_connections=AT_ONCE)
table = DynamoTable(boto3.client("dynamodb", config=pool), os.environ["LEDGER_TABLE_NAME"])
executions = Executions(boto3.client("stepfunctions"))
ledger, leases = Ledger(table, int(os.environ["LEDGER_DAYS"])), Leases(table, executions.is_running)
waker = Waker(leases, executions, os.environ["IMPORT_UPLOADS_ARN"])
datasets = Datasets(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])
objects = Objects(boto3.client("s3"), os.environ["BUCKET_NAME"])
settling = Settling(ledger, leases, Claims(ledger, leases), objects)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what the state machine does next; after a `failure` that is to end."""
    errand = Errand.model_validate(event)
    logger.append_keys(lane=errand.lane)
    if failure := event.get("failure"):
        policy = upload_policy(objects, errand.datasetGroup)
        settling.failed(errand, failure["error"], failure["cause"], policy, waker)
        metrics.add_metric("FailedImports", MetricUnit.Count, 1)
        return {}
    work = settling.succeeded(errand, event["job"]["arn"], datasets)
    logger.info("settled", extra={"phase": work.phase, "rows": work.rows})
    metrics.add_metric("RowsImported", MetricUnit.Count, work.rows)
    return work.model_dump(mode="json")
