"""Say why a run failed: the innermost error and its own words."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.personalize.failures import explain

logger, tracer, metrics = Logger(), Tracer(), Metrics()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Return ``{"error", "cause"}`` of what a run's state holds: what was caught, or the failures noted in it."""
    failure = explain(event)
    logger.error("run failed", extra=failure._asdict())
    metrics.add_metric("FailedRuns", MetricUnit.Count, 1)
    return failure._asdict()
