"""Take the lease on a dataset and look what is to be done for it."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.step_functions import Executions
from lambdas.uploads.claims import Claims
from lambdas.uploads.dataset_facts import Datasets
from lambdas.uploads.import_state import Errand
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger

logger, tracer, metrics = Logger(), Tracer(), Metrics()
table = DynamoTable(boto3.client("dynamodb"), os.environ["LEDGER_TABLE_NAME"])
leases = Leases(table, Executions(boto3.client("stepfunctions")).is_running)
claims = Claims(Ledger(table, int(os.environ["LEDGER_DAYS"])), leases)
datasets = Datasets(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what the state machine does next."""
    errand = Errand.model_validate(event)
    logger.append_keys(lane=errand.lane)
    work = claims.claim(errand, datasets)
    logger.info("claimed", extra={"phase": work.phase, "outcome": work.outcome, "told": work.message})
    metrics.add_metric("Claims", MetricUnit.Count, 1)
    return work.model_dump(mode="json")
