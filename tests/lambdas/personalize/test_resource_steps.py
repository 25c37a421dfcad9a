"""The steps of the wait loops, where running a machine to see them would take hours of simulated time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.personalize.resource_steps import ResourceStepInput, UnknownResourceTypeError, create, find, owned
from tests.lambdas.personalize.fake_personalize import FakePersonalize

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


class InUseError(Exception):
    """Stands for the service's ResourceInUseException."""


class LimitError(Exception):
    """Stands for the service's LimitExceededException."""


class Never(Exception):  # noqa: N818 - never raised
    """Stands for exceptions that do not matter here."""


class Busy(FakePersonalize):
    """A gateway to a service in which everything is busy."""

    class errors:  # noqa: N801 - the name boto3 gives them
        """The exceptions of the service."""

        ResourceInUseException = InUseError
        LimitExceededException = LimitError
        ResourceAlreadyExistsException = Never
        ResourceNotFoundException = Never

    limit = "More than 5 resources with PENDING or IN_PROGRESS status"

    def create(self, *_: Any) -> str:
        raise LimitError(self.limit)

    def durations(self, *_: Any) -> list[float]:
        return []

    def describe(self, _row: object, arn: str) -> dict[str, Any] | None:
        if arn == "arn:absent":
            return None
        return {"name": "c", "campaignArn": "arn:c", "status": "CREATE IN_PROGRESS", "creationDateTime": BEGAN}


def step(noun: str, hours: float = 0, yield_seconds: int = 0, **found: Any) -> ResourceStepInput:
    now = BEGAN + timedelta(hours=hours)
    found = {"arn": "arn:c", "expectation": None, **found}
    given = {"type": noun, "request": {"name": "c"}, "found": found, "yield_seconds": yield_seconds}
    return ResourceStepInput.of({"now": now.isoformat(), "run_began": BEGAN.isoformat(), "input": given})


def test_a_full_queue_is_waited_for() -> None:
    """Fact: the service's two kinds of LimitExceededException differ in their message only."""
    found = create(Busy(), step("dataset_import_job"))
    assert found["phase"] == "CHANGING"
    assert found["wait_seconds"] >= 30


def test_a_full_count_is_not_waited_for() -> None:
    busy = Busy()
    busy.limit = "Cannot create a campaign. More than 5 resources in ACTIVE state. Please delete some and try again"
    with pytest.raises(LimitError, match="ACTIVE state"):
        create(busy, step("campaign"))


def test_who_yields_asks_for_a_place_later_than_those_who_wait_for_one() -> None:
    """Choice: a freed import slot is seen by every waiting dataset before the one that freed it asks again."""
    waiting = create(Busy(), step("dataset_import_job"))
    first = find(Busy(), step("dataset_import_job", yield_seconds=90, arn="arn:absent"))
    later = find(Busy(), step("dataset_import_job", hours=0.1, yield_seconds=90, arn="arn:absent"))
    assert (first["phase"], first["wait_seconds"]) == ("CHANGING", 90)
    assert first["wait_seconds"] > waiting["wait_seconds"]
    assert later["phase"] == "ABSENT"


def test_patience_ends_red_with_the_status_last_seen() -> None:
    found = find(Busy(), step("campaign", hours=7))
    assert found["phase"] == "FAILED"
    assert "CREATE IN_PROGRESS" in found["reason"]
    assert "7.0 hours" in found["reason"]


def test_an_unknown_type_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownResourceTypeError, match="dataset_import_job"):
        step("import")


def test_what_the_stage_makes_has_its_tag_and_those_that_were_asked_for() -> None:
    mine, owner = {"tagKey": "team", "tagValue": "films"}, {"tagKey": "made-by", "tagValue": "shop-dev"}

    def tags(noun: str, *asked: dict[str, str]) -> Any:
        event = {"now": "2026-01-01T00:00:00Z", "run_began": "2026-01-01T00:00:00Z"}
        step = ResourceStepInput.of({**event, "input": {"type": noun, "request": {"name": "x", "tags": list(asked)}}})
        return owned(step, owner).request["tags"]

    assert tags("campaign", mine) == [mine, owner]
    assert tags("schema") == [], "the service takes no tags of it"
    assert len(tags("campaign", *([mine] * 50))) == 50
    assert tags("campaign", {**owner, "tagValue": "somebody"}) == [{**owner, "tagValue": "somebody"}]
