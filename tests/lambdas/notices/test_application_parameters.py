"""Parameters follow what is there, whatever events said and in whichever order they came."""

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.notices.application_parameters import ApplicationParameters, parameters_path
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.stage_names import StageNames

PREFIX: Final = "arn:aws:personalize:eu-west-1:123456789012"
PATH: Final = "/personalize/shop-dev/"
Resources = dict[str, dict[str, Any]]


class Held:
    """Parameters in a dictionary."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def below(self, path: str) -> Iterator[tuple[str, str]]:
        return iter([(name, value) for name, value in self.values.items() if name.startswith(path)])

    def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def delete(self, name: str) -> None:
        self.values.pop(name, None)


class Described(PersonalizeGateway):
    """Amazon Personalize that holds what a test gives it."""

    def __init__(self, resources: Resources, names: StageNames) -> None:
        super().__init__(None, PREFIX, names)
        self.resources = resources

    def describe(self, row: Any, arn: str) -> dict[str, Any] | None:  # noqa: ARG002 - an ARN is enough
        return self.resources.get(arn)


def group(name: str) -> str:
    return f"{PREFIX}:dataset-group/{name}"


CAMPAIGN: Final = f"{PREFIX}:campaign/dev-films"
SOLUTION: Final = f"{PREFIX}:solution/dev-films"
TRACKER: Final = f"{PREFIX}:event-tracker/e1"


def resources() -> Resources:
    return {
        CAMPAIGN: {"name": "dev-films", "campaignArn": CAMPAIGN, "solutionVersionArn": f"{SOLUTION}/1a2b"},
        SOLUTION: {"name": "dev-films", "datasetGroupArn": group("dev-movies")},
        TRACKER: {
            "name": "dev-clicks",
            "eventTrackerArn": TRACKER,
            "trackingId": "t-1",
            "datasetGroupArn": group("dev-movies"),
        },
    }


def followed(there: Resources, held: Held, noun: str, arn: str | None, names: str = "dev-*") -> list[str]:
    """Follow a change, and return what changed, as `<name> <value>`."""
    parameters = ApplicationParameters(Described(there, StageNames.read(names)), held, "shop-dev")
    changes = parameters.changes(noun, arn)
    for change in changes:
        parameters.apply(change)
    assert parameters.changes(noun, arn) == []  # all is as it should be
    return [f"{change.parameter.removeprefix(PATH)} {change.value}" for change in changes]


def test_a_campaign_is_found_under_the_names_of_its_request() -> None:
    held = Held()
    assert followed(resources(), held, "campaign", CAMPAIGN) == [f"movies/campaign/films {CAMPAIGN}"]
    assert held.values == {f"{PATH}movies/campaign/films": CAMPAIGN}


def test_a_tracker_is_found_with_the_id_that_put_events_asks_for() -> None:
    told = followed(resources(), Held(), "event_tracker", TRACKER)
    assert told == [f"movies/event-tracker/clicks {TRACKER}", "movies/tracking-id/clicks t-1"]


def test_what_another_tracker_replaced_goes() -> None:
    there, held = resources(), Held()
    followed(there, held, "event_tracker", TRACKER)
    new = f"{PREFIX}:event-tracker/e2"
    there[new] = {**there.pop(TRACKER), "name": "dev-views", "eventTrackerArn": new, "trackingId": "t-2"}
    told = followed(there, held, "event_tracker", new)
    assert told[2:] == ["movies/event-tracker/clicks None", "movies/tracking-id/clicks None"]
    assert held.values == {f"{PATH}movies/event-tracker/views": new, f"{PATH}movies/tracking-id/views": "t-2"}


@pytest.mark.parametrize("arn", [CAMPAIGN, None])
def test_what_is_gone_is_removed_whether_or_not_the_event_says_which_it_was(arn: str | None) -> None:
    there, held = resources(), Held()
    followed(there, held, "campaign", CAMPAIGN)
    followed(there, held, "event_tracker", TRACKER)
    del there[CAMPAIGN]
    assert followed(there, held, "campaign", arn) == ["movies/campaign/films None"]
    assert len(held.values) == 2  # the tracker's


def test_a_late_event_about_what_was_removed_writes_nothing() -> None:
    there = resources()
    del there[CAMPAIGN]
    assert followed(there, Held(), "campaign", CAMPAIGN) == []


def test_an_adopted_group_keeps_its_names() -> None:
    there = {"f": {"name": "dev-seen", "filterArn": "f", "datasetGroupArn": group("legacy")}}
    assert followed(there, Held(), "filter", "f", "dev-*,legacy") == ["legacy/filter/dev-seen f"]


def test_what_lies_elsewhere_is_left_alone() -> None:
    """Another stage's, another type's, and what somebody wrote by hand."""
    others = {
        "/personalize/shop-prod/movies/campaign/films": CAMPAIGN,
        f"{PATH}movies/filter/x": f"{PREFIX}:filter/x",
        f"{PATH}movies/campaign/note": "ask Ann",
    }
    held = Held(**others)
    assert followed({}, held, "campaign", None) == []
    assert held.values == others


def test_parameter_store_takes_such_names() -> None:
    """A fact, told by botocore's model: neither `aws` nor `ssm` begins one, and its length is bounded."""
    client = boto3.client("ssm", region_name="eu-west-1")
    name = f"{parameters_path('aws-recommendations-production')}{'g' * 63}/event-tracker/{'t' * 63}"
    with Stubber(client) as stubber:
        stubber.add_response("get_parameter", {"Parameter": {}}, {"Name": name})
        client.get_parameter(Name=name)
    assert len(name) < 1_011
