"""Count requests in CloudWatch, under the developer guide's names and at the simulated time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from personalize_local.personalize.resources.account import Account

_NAMESPACE: Final = "AWS/Personalize"
_TOGETHER_SECONDS: Final = 300  # the service's own window for the throughput that it bills
_LOOKED_AT: Final = 100  # of the newest points; more are in use at a time nowhere


def count_request(account: Account, metric: str, dimensions: Mapping[str, str]) -> None:
    """Add one request to a metric.

    Those of the same five minutes are one point, at the time of the latest, so that traffic fills no memory.
    """
    backend = cloudwatch_backends[account.account_id][account.region]
    now = datetime.fromtimestamp(account.now(), UTC).replace(tzinfo=None)  # as moto compares them
    for datum in reversed(backend.metric_data[-_LOOKED_AT:]):
        if not isinstance(datum, MetricDatum):
            continue
        named = {dimension.name: dimension.value for dimension in datum.dimensions}
        is_same = (datum.namespace, datum.name, named) == (_NAMESPACE, metric, dict(dimensions))
        if is_same and _window(datum.timestamp) == _window(now):
            datum.value += 1
            datum.timestamp = now
            return
    point = {
        "MetricName": metric,
        "Value": 1.0,
        "Unit": "Count",
        "Timestamp": now,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    backend.put_metric_data(_NAMESPACE, [point])


def _window(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() // _TOGETHER_SECONDS)
