"""Which campaigns and recommenders nobody asked anything, against moto's CloudWatch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.costs.group_costs import ServingResource
from lambdas.costs.idle_resources import idle_resources, requests_since
from lambdas.gateways.cloud_watch import CloudWatchCounts

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
DIMENSIONS = {"campaign": "CampaignArn", "recommender": "RecommenderArn"}


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="eu-west-1")


def serving(noun: str, age_hours: float = 1_000, status: str = "ACTIVE") -> ServingResource:
    described = {"status": status, "creationDateTime": NOW - timedelta(hours=age_hours)}
    return ServingResource(noun, noun, f"arn:{noun}", None, described)


def ask(client: Any, noun: str, hours_ago: float, metric: str = "GetRecommendations") -> None:
    named = [{"Name": DIMENSIONS[noun], "Value": f"arn:{noun}"}]
    datum = {"MetricName": metric, "Timestamp": NOW - timedelta(hours=hours_ago), "Value": 5, "Dimensions": named}
    client.put_metric_data(Namespace="AWS/Personalize", MetricData=[datum])


def idle(client: Any, *resources: ServingResource, hours: float = 72) -> list[str]:
    return [one.resource.noun for one in idle_resources(CloudWatchCounts(client), resources, hours, NOW)]


def test_what_was_not_asked_for_so_long_is_idle(client: Any) -> None:
    both = serving("campaign"), serving("recommender")
    ask(client, "campaign", 80)
    assert idle(client, *both) == ["campaign", "recommender"]
    ask(client, "recommender", 71)
    ask(client, "campaign", 3, "GetPersonalizedRanking")
    assert idle(client, *both) == []
    assert idle(client, *both, hours=1) == ["campaign", "recommender"]
    assert requests_since(CloudWatchCounts(client), both[0], NOW - timedelta(hours=100), NOW) == 10


def test_what_is_young_or_does_not_serve_is_not_idle(client: Any) -> None:
    assert idle(client, serving("campaign", 71), serving("recommender", 1_000, "INACTIVE")) == []
