"""Ask Amazon Personalize to delete one resource; the state machine does the waiting."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.personalize.gateway import Gateway
from lambdas.personalize.resource_steps import Errand, delete

logger, tracer, metrics = Logger(), Tracer(), Metrics()
gateway = Gateway(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what is known of the resource once the service has accepted, or why to look again later."""
    errand = Errand.of(event)
    found = delete(gateway, errand)
    told = {key: found[key] for key in ("arn", "reason", "wait_seconds")}
    logger.info("delete asked", extra={"resource_type": errand.row.noun, **told})
    metrics.add_metric("Deletes", MetricUnit.Count, 1)
    return found
