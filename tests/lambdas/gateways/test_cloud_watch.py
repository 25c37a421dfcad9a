"""Sums of metrics, against moto's CloudWatch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.gateways.cloud_watch import CloudWatchCounts

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
GROUP = ("DatasetGroupArn", "arn:movies")


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="eu-west-1")


def put(client: Any, age: timedelta, value: float, **dimensions: str) -> None:
    named = [{"Name": name, "Value": text} for name, text in dimensions.items()]
    datum = {"MetricName": "PutEventsRequests", "Timestamp": NOW - age, "Value": value, "Dimensions": named}
    client.put_metric_data(Namespace="AWS/Personalize", MetricData=[datum])


def total(client: Any, days: float = 7, dimension: tuple[str, str] = GROUP) -> int:
    since = NOW - timedelta(days=days)
    return CloudWatchCounts(client).total("AWS/Personalize", "PutEventsRequests", dimension, since, NOW)


def test_what_was_never_counted_is_nothing(client: Any) -> None:
    assert total(client) == 0


def test_a_time_is_summed_up_whatever_other_dimensions_there_are(client: Any) -> None:
    put(client, timedelta(hours=5), 20, DatasetGroupArn="arn:movies", EventTrackerArn="arn:tracker")
    put(client, timedelta(hours=50), 3, DatasetGroupArn="arn:movies", EventTrackerArn="arn:tracker")
    put(client, timedelta(days=9), 100, DatasetGroupArn="arn:movies", EventTrackerArn="arn:tracker")
    put(client, timedelta(hours=5), 1_000, DatasetGroupArn="arn:books", EventTrackerArn="arn:other")
    assert total(client) == 23
    assert total(client, days=1) == 20


class Scripted:
    """A client that knows these sums by the number of dimensions asked for."""

    def __init__(self, *sums: float) -> None:
        self.sums = sums

    def get_paginator(self, _name: str) -> "Scripted":
        return self

    def paginate(self, **_arguments: Any) -> list[Any]:
        return [{"Metrics": [{"Dimensions": [{}] * number} for number in range(len(self.sums))]}]

    def get_metric_statistics(self, **asked: Any) -> Any:
        seconds = (asked["EndTime"] - asked["StartTime"]).total_seconds()
        assert seconds / asked["Period"] <= 1_440
        assert asked["Period"] % 3_600 == 0
        return {"Datapoints": [{"Sum": self.sums[len(asked["Dimensions"])]}]}


def test_one_of_several_sets_of_dimensions_counts_everything() -> None:
    """Fact: CloudWatch answers for exactly the set that was asked for; moto for every set that contains it."""
    assert total(Scripted(20.0, 20.0, 5.0)) == 20


def test_a_year_is_asked_for_in_as_many_points_as_cloudwatch_gives() -> None:
    assert total(Scripted(7.0), days=365) == 7
