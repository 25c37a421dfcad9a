"""Ask CloudWatch whether campaigns and recommenders were asked anything, under the developer guide's names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lambdas.costs.group_costs import ServingResource
from lambdas.gateways.cloud_watch import Counts

_NAMESPACE: Final = "AWS/Personalize"
_METRICS: Final = ("GetRecommendations", "GetPersonalizedRanking", "GetActionRecommendations")
_DIMENSIONS: Final = {"campaign": "CampaignArn", "recommender": "RecommenderArn"}
_ACTIVE: Final = "ACTIVE"


@dataclass(frozen=True)
class IdleResource:
    """A campaign or recommender that serves and was not asked anything for `hours`."""

    resource: ServingResource
    hours: float


def requests_since(counts: Counts, resource: ServingResource, since: datetime, now: datetime) -> int:
    """Return how many requests a campaign or recommender answered since a moment, to the hour."""
    dimension = (_DIMENSIONS[resource.noun], resource.arn)
    return sum(counts.total(_NAMESPACE, metric, dimension, since, now) for metric in _METRICS)


def idle_resources(
    counts: Counts, resources: Iterable[ServingResource], hours: float, now: datetime
) -> list[IdleResource]:
    """Return those that serve, are older than so many hours, and were not asked anything for as long.

    CloudWatch counts to the hour and a little late: a part of an hour more is looked at, never less.
    """
    since = now - timedelta(hours=hours)
    return [
        IdleResource(one, hours)
        for one in resources
        if one.described["status"] == _ACTIVE
        and one.described["creationDateTime"] <= since
        and not requests_since(counts, one, since - timedelta(hours=1), now)
    ]
