"""Odd users, items, values and events reach the real engine: an answer or a documented error, never a 500."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.personalize_local.personalize.planted import make_planted_group, running_for_real
from tests.personalize_local.personalize.test_malformed_requests import send
from tests.personalize_local.personalize.world import World

EXPRESSIONS = (
    "INCLUDE ItemID WHERE Items.GENRES IN ($VALUE)",
    "INCLUDE ItemID WHERE Items.PRICE < $VALUE",
    "EXCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE",
    'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*) | EXCLUDE ItemID WHERE Items.GENRES NOT IN ("x")',
)
ODD = st.sampled_from(
    (
        "u1",
        "i1",
        "",
        "x" * 256,
        "☃",
        "a|b",
        '"',
        "null",
        "\0",
        "-1",
        "1e309",
        "NaN",
        " ",
        '"drama"',
        '"a","b"',
        "5,6",
        "[1]",
    )
) | st.text(max_size=8)


class Deployed:
    """A world with one campaign of each kind of question, filters and a tracker."""

    def __init__(self, world: World) -> None:
        group = make_planted_group(world)
        self.campaigns = [
            world.make_campaign(world.make_version(world.make_solution(group, recipe, name=recipe)), recipe)
            for recipe in ("aws-user-personalization-v2", "aws-similar-items", "aws-personalized-ranking-v2")
        ]
        self.filters = [
            world.personalize.create_filter(name=f"f{n}", datasetGroupArn=group, filterExpression=text)["filterArn"]
            for n, text in enumerate(EXPRESSIONS)
        ]
        self.tracking_id = world.personalize.create_event_tracker(name="t", datasetGroupArn=group)["trackingId"]
        world.finish()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with running_for_real(Path(tmp_path_factory.mktemp("odd"))) as world:
        yield Deployed(world)


def _sane(path: str, body: dict[str, Any]) -> None:
    status, answer = send(
        json.dumps({key: value for key, value in body.items() if value is not None}).encode(), path=path
    )
    assert status in {200, 400}, answer
    if status != 200:
        assert answer["__type"] in {"InvalidInputException", "SerializationException"}


@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_odd_questions_get_an_answer_or_a_reason(
    deployed: Deployed, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    draw = data.draw
    chosen = draw(st.none() | st.sampled_from(deployed.filters))
    values = {"filterArn": chosen, "filterValues": draw(st.dictionaries(st.sampled_from(("VALUE", "OTHER")), ODD))}
    common = {"userId": draw(st.none() | ODD), **(values if chosen else {})}
    with caplog.at_level(logging.ERROR):
        listed = draw(st.lists(ODD, max_size=4))
        _sane("/personalize-ranking", {"campaignArn": deployed.campaigns[2], "inputList": listed, **common})
        promotion = {"name": "p", "percentPromotedItems": 50, **(values if chosen else {})}
        question = {
            "campaignArn": draw(st.sampled_from(deployed.campaigns[:2])),
            "itemId": draw(st.none() | ODD),
            "numResults": draw(st.sampled_from((0, 1, 25, 500))),
            "promotions": draw(st.none() | st.just([promotion])),
            **common,
        }
        _sane("/recommendations", question)
    assert [record for record in caplog.records if "broke" in record.message] == []


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    user=st.none() | ODD,
    item=st.none() | ODD,
    kind=ODD,
    when=st.sampled_from((0, -5, 1e10, 1_700_000_000.5, 1e300, "2024-05-01T00:00:00Z", "soon")),
    properties=st.none() | ODD | st.dictionaries(ODD, ODD).map(json.dumps) | st.just('{"eventValue": 1e400}'),
)
def test_odd_events_are_taken_or_refused(
    deployed: Deployed, user: str | None, item: str | None, kind: str, when: Any, properties: str | None
) -> None:
    event = {"eventType": kind, "sentAt": when, "itemId": item, "properties": properties}
    present = {key: value for key, value in event.items() if value is not None}
    _sane("/events", {"trackingId": deployed.tracking_id, "sessionId": "s", "userId": user, "eventList": [present]})
