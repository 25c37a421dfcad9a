"""Events on the stage's bus, against moto's EventBridge."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.gateways.event_bus import EventBus
from lambdas.gateways.transient import TransientError
from lambdas.notices.stage_events import SolutionVersionKeptBack


class Recording:
    """A client that remembers what it was asked, and may refuse an entry."""

    def __init__(self, refused: int = 0) -> None:
        self.entries: list[dict[str, Any]] = []
        self.refused = refused

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.entries += Entries
        failed = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"} if self.refused else {"EventId": "1"}
        return {"FailedEntryCount": self.refused, "Entries": [failed]}


KEPT_BACK = SolutionVersionKeptBack(
    dataset_group="films",
    solution="for-you",
    reasons=["coverage is 0.1"],
    trained_solution_version_arn="arn:aws:personalize:eu-west-1:123456789012:solution/dev-for-you/new",
    solution_version_arn=None,
    metrics={"coverage": 0.1},
)


def test_an_event_says_where_it_comes_from_and_what_it_is() -> None:
    client = Recording()
    EventBus(client, "stage-events").put(KEPT_BACK)
    (entry,) = client.entries
    assert (entry["EventBusName"], entry["Source"]) == ("stage-events", "personalize-control-plane")
    assert entry["DetailType"] == "Solution Version Kept Back"
    detail = json.loads(entry["Detail"])
    assert detail["datasetGroup"] == "films"
    assert detail["trainedSolutionVersionArn"].endswith("/new")


def test_an_event_that_was_not_taken_is_tried_again() -> None:
    with pytest.raises(TransientError, match="InternalFailure: try again"):
        EventBus(Recording(refused=1), "stage-events").put(KEPT_BACK)


@mock_aws
def test_eventbridge_takes_it() -> None:
    client = boto3.client("events", region_name="eu-west-1")
    client.create_event_bus(Name="stage-events")
    EventBus(client, "stage-events").put(KEPT_BACK)
