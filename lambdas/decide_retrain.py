"""Decide whether what was imported leads to a training, start it, and tell how the execution went."""

import os
from datetime import datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.bucket_layout import lane_of
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions, execution_name
from lambdas.uploads.dataset_facts import Datasets
from lambdas.uploads.group_policies import retrain_policy
from lambdas.uploads.import_state import Errand
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.retrain_policy import Decision, decide

logger, tracer, metrics = Logger(), Tracer(), Metrics()
table = DynamoTable(boto3.client("dynamodb"), os.environ["LEDGER_TABLE_NAME"])
executions = Executions(boto3.client("stepfunctions"))
ledger, leases = Ledger(table), Leases(table, executions.is_running)
datasets = Datasets(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])
objects = Objects(boto3.client("s3"), os.environ["BUCKET_NAME"])
pipeline_arn = os.environ["PIPELINE_ARN"]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the execution's output, the decision among it."""
    errand = Errand.model_validate(event)
    logger.append_keys(lane=errand.lane)
    decision = _decide(errand)
    if decision.start:
        # Named after the import: deciding twice about the same rows starts one pipeline.
        name = execution_name(errand.datasetGroup, errand.work.jobs[-1].jobName)
        executions.start(pipeline_arn, name, {"datasetGroup": errand.datasetGroup})
        metrics.add_metric("Retrains", MetricUnit.Count, 1)
    logger.info("decided", extra=decision.model_dump())
    told = errand.work.model_dump(mode="json", include={"outcome", "message", "rows", "jobs"})
    names = {"datasetGroup": errand.datasetGroup, "dataset": errand.dataset}
    return {**names, **told, "retrain": decision.model_dump()}


def _decide(errand: Errand) -> Decision:
    if not errand.work.rows:
        return Decision(start=False, reason="this execution imported nothing")
    policy = retrain_policy(objects, errand.datasetGroup)
    if policy is None:
        return Decision(start=False, reason="the group's request has no retrain policy")
    newest_training = datasets.newest_training(errand.datasetGroup)
    return decide(
        policy,
        now=datetime.fromisoformat(errand.time),
        rows_since=ledger.rows_imported(errand.datasetGroup, newest_training),
        newest_training=newest_training,
        running=leases.holder_of(lane_of(errand.datasetGroup, "pipeline")),
    )
