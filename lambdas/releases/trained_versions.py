"""Ask the service which versions a solution has, and which its campaigns serve."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lambdas.gateways.cloud_watch import Counts
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, covers, phase_of
from lambdas.personalize.resources import RESOURCES
from lambdas.releases.training_decision import TrainingPolicy, Version

# What a version learns by. Schedules only say when; tuned ranges are answered with prefixes of the service's own.
_LEARNT_BY: Final = ("recipeArn", "eventType", "performHPO", "performAutoML")
_NOT_LEARNT_BY: Final = ("autoTrainingConfig", "hpoConfig")


def versions_of(personalize: Personalize, solution_arn: str) -> list[dict[str, Any]]:
    """Return the summaries of the versions that are ACTIVE or being trained, the newest first."""
    try:
        summaries = list(personalize.summaries(RESOURCES["solution_version"], solution_arn))
    except personalize.errors.ResourceNotFoundException:
        return []
    usable = [one for one in summaries if phase_of(one["status"]) in (Phase.READY, Phase.CHANGING)]
    return sorted(usable, key=lambda summary: summary["creationDateTime"], reverse=True)


def comparable_versions(personalize: Personalize, solution_arn: str, wanted: Mapping[str, Any]) -> list[Version]:
    """Return the versions, the newest compared with what is wanted: CreateSolution's parameters."""
    summaries = versions_of(personalize, solution_arn)
    newest = (
        personalize.describe(RESOURCES["solution_version"], summaries[0]["solutionVersionArn"]) if summaries else {}
    )
    return [
        Version(
            arn=summary["solutionVersionArn"],
            created=summary["creationDateTime"],
            mode=str(summary.get("trainingMode", "FULL")),
            ready=phase_of(summary["status"]) is Phase.READY,
            differences=_differences(newest or {}, wanted) if position == 0 else "",
            billed_hours=(newest or {}).get("trainingHours") if position == 0 else None,
        )
        for position, summary in enumerate(summaries)
    ]


def _differences(trained: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    differing = [key for key in _LEARNT_BY if key in wanted and not covers(trained.get(key), wanted[key])]
    config = trained.get("solutionConfig", {})
    for key, value in wanted.get("solutionConfig", {}).items():
        if key not in _NOT_LEARNT_BY and not covers(config.get(key), value):
            differing.append(f"solutionConfig.{key}")
    return ", ".join(differing)


def put_events_since(
    counts: Counts, policy: TrainingPolicy, versions: Sequence[Version], group_arn: str, now: datetime
) -> int:
    """Return how many PutEvents requests came since the newest version; 0 where the policy does not ask."""
    if policy.after_put_events is None or not versions:
        return 0
    dimension = ("DatasetGroupArn", group_arn)
    return counts.total("AWS/Personalize", "PutEventsRequests", dimension, versions[0].created, now)


def deployed_versions(personalize: Personalize, campaign_arns: Sequence[str]) -> list[str]:
    """Return what those of these campaigns that exist serve, in their order; campaigns may differ after a failure."""
    found = (personalize.describe(RESOURCES["campaign"], arn) for arn in campaign_arns)
    return [
        str(campaign["solutionVersionArn"])
        for campaign in found
        if campaign and phase_of(campaign["status"]) is not Phase.FAILED
    ]
