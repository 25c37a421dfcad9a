"""Find what events and executions have dropped: started by a schedule."""

import os
from datetime import datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from lambdas.gateways.concurrency import AT_ONCE
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions
from lambdas.uploads.dataset_facts import Datasets
from lambdas.uploads.import_starter import Waker
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.recorder import Machines, Recorder
from lambdas.uploads.sweep import Sweeper

logger, tracer, metrics = Logger(), Tracer(), Metrics()
pool = Config(max_pool_connections=AT_ONCE)
table = DynamoTable(boto3.client("dynamodb", config=pool), os.environ["LEDGER_TABLE_NAME"])
executions = Executions(boto3.client("stepfunctions", config=pool))
ledger, leases = Ledger(table, int(os.environ["LEDGER_DAYS"])), Leases(table, executions.is_running)
objects = Objects(boto3.client("s3"), os.environ["BUCKET_NAME"])
machines = Machines(os.environ["PIPELINE_ARN"], os.environ["RUN_BATCH_INFERENCE_ARN"])
waker = Waker(leases, executions, os.environ["IMPORT_UPLOADS_ARN"])
datasets = Datasets(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])
sweeper = Sweeper(ledger, leases, objects, Recorder(ledger, executions, objects.bucket, machines), waker, datasets)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what was found. `event` is the schedule's own, or any with a `time`."""
    swept = sweeper.sweep(datetime.fromisoformat(event["time"]))
    logger.info("swept", extra={"unannounced": len(swept.unannounced), "woken": swept.woken})
    metrics.add_metric("UnannouncedUploads", MetricUnit.Count, len(swept.unannounced))
    return swept.model_dump(mode="json")
