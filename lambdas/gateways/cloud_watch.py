"""Read from CloudWatch how often something happened: a Protocol, and the one class that has the client."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Protocol

_MOST_POINTS: Final = 1_440  # CloudWatch's limit of an answer
_HOUR_SECONDS: Final = 3_600


class Counts(Protocol):
    """Sums of metrics, as the domain sees them."""

    def total(self, namespace: str, metric: str, dimension: tuple[str, str], since: datetime, until: datetime) -> int:
        """Return the sum of a metric over a time, to the hour, wherever one of its dimensions has this value."""


class CloudWatchCounts:
    """The sums in CloudWatch, through a client of boto3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def total(self, namespace: str, metric: str, dimension: tuple[str, str], since: datetime, until: datetime) -> int:
        """Return the sum of a metric over a time, to the hour, wherever one of its dimensions has this value.

        Statistics are kept per whole set of dimensions. Where there are several sets, one of them counts everything.
        """
        hours = math.ceil((until - since).total_seconds() / _HOUR_SECONDS / _MOST_POINTS)
        window = {"StartTime": since, "EndTime": until, "Period": max(hours, 1) * _HOUR_SECONDS, "Statistics": ["Sum"]}
        answers = (
            self._client.get_metric_statistics(Namespace=namespace, MetricName=metric, Dimensions=dimensions, **window)
            for dimensions in self._dimension_sets(namespace, metric, dimension)
        )
        return max((int(sum(point["Sum"] for point in answer["Datapoints"])) for answer in answers), default=0)

    def _dimension_sets(
        self, namespace: str, metric: str, dimension: tuple[str, str]
    ) -> Iterator[list[dict[str, str]]]:
        wanted = [{"Name": dimension[0], "Value": dimension[1]}]
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=namespace, MetricName=metric, Dimensions=wanted
        )
        for page in pages:
            yield from (one["Dimensions"] for one in page["Metrics"])
