"""Read, check and expand a request: the first state of every machine, so that nothing is created for a wrong one."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.file_checks.batch_input import check_batch_input
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions
from lambdas.personalize.gateway import Gateway
from lambdas.personalize.plan import Place, Planner
from lambdas.personalize.plan_check import check_request
from lambdas.personalize.stages import load_request, plan_pipeline, plan_stage
from lambdas.uploads.lease import Leases

logger, tracer, metrics = Logger(), Tracer(), Metrics()
gateway = Gateway(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])
objects = Objects(boto3.client("s3"), os.environ["BUCKET_NAME"])
place = Place(gateway.arn_prefix, objects.bucket, os.environ["PERSONALIZE_ROLE_ARN"])
leases = Leases(
    DynamoTable(boto3.client("dynamodb"), os.environ["LEDGER_TABLE_NAME"]),
    Executions(boto3.client("stepfunctions")).is_running,
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the machine's part of the plan; for `pipeline` the whole plan, and who else runs one for the group.

    `event` is ``{"machine", "execution", "run", "input"}``: who asks, its ARN and name, and what it was started with.
    """
    wish = {key: value for key, value in event["input"].items() if not key.startswith("AWS_STEP_FUNCTIONS")}
    request = load_request(wish, objects.text)
    planner = Planner(request, wish.get("run", event["run"]), place)
    logger.append_keys(dataset_group=request.dataset_group.name, machine=event["machine"], run=planner.run)
    if event["machine"] != "pipeline":
        if "input" in wish:
            check_batch_input(objects, wish["input"])
        return plan_stage(event["machine"], wish, planner, gateway)
    check_request(planner, gateway)
    holder = leases.take(f"{request.dataset_group.name}/pipeline", event["execution"]).holder
    logger.info("planned", extra={"solutions": [solution.name for solution in request.solutions], "holder": holder})
    metrics.add_metric("Plans", MetricUnit.Count, 1)
    return {**plan_pipeline(planner), "runsAlone": holder == event["execution"], "holder": holder}
