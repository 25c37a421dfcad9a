"""Look at one resource: the *Find* of the wait loop."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.personalize.gateway import Gateway
from lambdas.personalize.resource_steps import Errand, look

logger, tracer, metrics = Logger(), Tracer(), Metrics()
gateway = Gateway(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the resource's phase, the service's reason and, while it changes, the seconds to wait."""
    errand = Errand.of(event)
    found = look(gateway, errand)
    told = {key: found[key] for key in ("phase", "arn", "status", "reason", "wait_seconds")}
    logger.info("looked", extra={"resource_type": errand.row.noun, **told})
    metrics.add_metric("Looks", MetricUnit.Count, 1)
    return found
