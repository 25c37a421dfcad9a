"""Count requests in CloudWatch, under the developer guide's names and at the simulated time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from personalize_local.personalize.resources.account import Account

_NAMESPACE: Final = "AWS/Personalize"
_TOGETHER_SECONDS: Final = 300  # the service's own window for the throughput that it bills


def count_request(account: Account, metric: str, dimensions: Mapping[str, str]) -> None:
    """Add one request to a metric.

    Those of the same five minutes are one point, at the time of the latest, so that traffic fills no memory.
    """
    key = (metric, *dimensions.values())
    with account.lock:
        moment = account.now()
        window = int(moment // _TOGETHER_SECONDS)
        timestamp = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)  # as moto compares them
        counted_in, point = account.request_points.get(key, (None, None))
        if point is not None and counted_in == window:
            point.value += 1
            point.timestamp = timestamp
            return
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        point = MetricDatum(_NAMESPACE, metric, 1.0, named, timestamp, "Count")
        account.request_points[key] = window, point
        cloudwatch_backends[account.account_id][account.region].metric_data.append(point)
