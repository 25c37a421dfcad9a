"""Judge a freshly trained version against the request's gates and the version that serves now."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.personalize.gateway import Gateway
from lambdas.personalize.judgement import judge
from lambdas.personalize.resources import RESOURCES

logger, tracer, metrics = Logger(), Tracer(), Metrics()
gateway = Gateway(boto3.client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the decision and the version to serve: the new one, or the deployed one when the new one falls short.

    `event` is ``{"solutionVersionArn", "gates", "campaignArns"}``.
    """
    trained, deployed = event["solutionVersionArn"], _deployed_version(event["campaignArns"])
    found = gateway.metrics(trained)
    before = gateway.metrics(deployed) if deployed and event["gates"] else None
    judgement = judge(event["gates"], found, before)
    answer = {
        "decision": "DEPLOY" if judgement.deploy else "KEEP",
        "reasons": list(judgement.reasons),
        "solutionVersionArn": trained if judgement.deploy else deployed,
        "trainedSolutionVersionArn": trained,
        "metrics": found,
    }
    logger.info("judged", extra=answer)
    metrics.add_metric("VersionsKeptBack", MetricUnit.Count, int(not judgement.deploy))
    return answer


def _deployed_version(campaign_arns: list[str]) -> str | None:
    for arn in campaign_arns:
        if campaign := gateway.describe(RESOURCES["campaign"], arn):
            return str(campaign["solutionVersionArn"])
    return None
