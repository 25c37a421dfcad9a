"""Judge a freshly trained version against the request's gates and the version that serves now."""

from typing import Any

from lambdas import wiring
from lambdas.personalize.judgement import judge
from lambdas.personalize.resources import RESOURCES

personalize = wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the decision and the version to serve: the new one, or the deployed one when the new one falls short.

    `event` is ``{"solutionVersionArn", "gates", "campaignArns"}``.
    """
    trained, deployed = event["solutionVersionArn"], _deployed_version(event["campaignArns"])
    metrics = personalize.metrics(trained)
    metrics_before = personalize.metrics(deployed) if deployed and event["gates"] else None
    judgement = judge(event["gates"], metrics, metrics_before)
    answer = {
        "decision": "DEPLOY" if judgement.deploy else "KEEP",
        "reasons": list(judgement.reasons),
        "solutionVersionArn": trained if judgement.deploy else deployed,
        "trainedSolutionVersionArn": trained,
        "metrics": metrics,
    }
    wiring.logger.info("judged", extra={"judgement": answer})
    wiring.count("VersionsKeptBack", int(not judgement.deploy))
    return answer


def _deployed_version(campaign_arns: list[str]) -> str | None:
    for arn in campaign_arns:
        if campaign := personalize.describe(RESOURCES["campaign"], arn):
            return str(campaign["solutionVersionArn"])
    return None
