"""The gateway to the service, where what is there changes between two calls."""

from typing import Any

from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.resources import RESOURCES

PREFIX = "arn:aws:personalize:eu-west-1:123456789012"


class NotFoundError(Exception):
    """Stands for the service's ResourceNotFoundException."""


class Going:
    """A client of a service whose metric attribution goes after so many calls."""

    class exceptions:  # noqa: N801 - the name boto3 gives them
        """The exceptions of the service."""

        ResourceNotFoundException = NotFoundError

    def __init__(self, calls_left: int) -> None:
        self.calls_left = calls_left

    def _call(self) -> None:
        if not self.calls_left:
            raise NotFoundError
        self.calls_left -= 1

    def describe_metric_attribution(self, **_arguments: str) -> dict[str, Any]:
        self._call()
        return {"metricAttribution": {"name": "m", "status": "DELETE IN_PROGRESS"}}

    def list_metric_attribution_metrics(self, **_arguments: str) -> dict[str, Any]:
        self._call()
        return {"metrics": [{"metricName": "watched"}]}


def test_what_goes_while_it_is_described_is_not_there() -> None:
    row = RESOURCES["metric_attribution"]
    there = PersonalizeGateway(Going(2), PREFIX).describe(row, "arn:m")
    assert there is not None
    assert there["metrics"] == [{"metricName": "watched"}]
    for calls in (0, 1):
        assert PersonalizeGateway(Going(calls), PREFIX).describe(row, "arn:m") is None
