"""Every event of the bus is documented, with a sample that is one."""

import json

import pytest

from docs.event_pages import EVENTS, SAMPLES, events_page, events_schema, sample_of
from lambdas.gateways.event_bus import SOURCE
from lambdas.notices.stage_events import StageEvent


@pytest.mark.parametrize("model", EVENTS)
def test_its_sample_is_such_an_event(model: type[StageEvent]) -> None:
    sample = sample_of(model)
    assert (sample["Source"], sample["DetailType"]) == (SOURCE, model.detail_type())
    detail = json.loads(sample["Detail"])
    assert model.model_validate(detail).detail() == detail


def test_each_sample_belongs_to_an_event() -> None:
    assert len(list(SAMPLES.iterdir())) == len(EVENTS)


def test_the_page_and_the_schema_have_all_of_them() -> None:
    page, schema = events_page(), json.loads(events_schema())
    for model in EVENTS:
        assert f"## {model.detail_type()}\n" in page
        assert schema["$defs"][model.__name__]["additionalProperties"] is False
