"""The step that deletes, against a service that refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.personalize.removal import NotDeletableError, StillInUseError, StillThereError, delete
from lambdas.personalize.resource_steps import ResourceStepInput, find
from lambdas.personalize.resources import ResourceType
from tests.lambdas.personalize.fake_personalize import FakePersonalize

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


class InUseError(Exception):
    """Stands for the service's ResourceInUseException."""


class Never(Exception):  # noqa: N818 - never raised
    """Stands for exceptions that do not matter here."""


class Refusing(FakePersonalize):
    """A gateway to a service that deletes nothing, with campaigns of these statuses."""

    class errors:  # noqa: N801 - the name boto3 gives them
        """The exceptions of the service."""

        ResourceInUseException = InUseError
        ResourceNotFoundException = Never

    def __init__(self, *statuses: str, status: str = "ACTIVE", ended: datetime = BEGAN) -> None:
        self.statuses = statuses
        self.status = status
        self.ended = ended

    def delete(self, _row: ResourceType, _arn: str) -> None:
        raise InUseError("it has children.")

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        assert parent_arn == "arn:s"
        for number, status in enumerate(self.statuses):
            yield {"name": f"{row.noun}-{number}", "status": status}

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any]:
        return {row.arn_key: arn, "name": "s", "status": self.status, "lastUpdatedDateTime": self.ended}


def step(noun: str, hours: float = 0, **found: Any) -> ResourceStepInput:
    now = BEGAN + timedelta(hours=hours)
    given = {"type": noun, "request": {"name": "s"}, "found": {"arn": "arn:s", "status": "ACTIVE", **found}}
    return ResourceStepInput.of({"now": now.isoformat(), "run_began": BEGAN.isoformat(), "input": given})


@pytest.mark.parametrize("statuses", [(), ("DELETE IN_PROGRESS",), ("ACTIVE", "CREATE PENDING")])
def test_a_reference_that_may_go_away_is_waited_for(statuses: tuple[str, ...]) -> None:
    found = delete(Refusing(*statuses), step("solution"))
    assert (found["phase"], found["reason"]) == ("CHANGING", "it has children.")


def test_references_that_stay_end_red_at_once_naming_them() -> None:
    with pytest.raises(
        StillInUseError, match=r"it has children\. .*campaign campaign-0 \(ACTIVE\), campaign campaign-1"
    ):
        delete(Refusing("ACTIVE", "CREATE FAILED"), step("solution"))


def test_a_hundred_references_are_named_in_a_line() -> None:
    with pytest.raises(StillInUseError, match=r"campaign-9 .* and 90 more") as caught:
        delete(Refusing(*["ACTIVE"] * 100), step("solution"))
    assert len(str(caught.value)) < 1000


def test_the_first_refusal_is_told_at_the_end() -> None:
    service = Refusing()
    first = delete(service, step("solution"))
    looked = find(service, step("solution", **first))
    with pytest.raises(StillThereError, match="it has children"):
        delete(service, step("solution", hours=7, **looked))


def test_what_the_service_never_deletes_is_said_at_once() -> None:
    with pytest.raises(NotDeletableError, match="solution_version"):
        delete(Refusing(), step("solution_version"))


@pytest.mark.parametrize(("status", "ended"), [("ACTIVE", BEGAN), ("CREATE FAILED", BEGAN + timedelta(minutes=1))])
def test_what_was_made_anew_since_the_last_look_is_left_alone(status: str, ended: datetime) -> None:
    """The fake raises on delete: reaching it would show as a refusal."""
    found = delete(Refusing(status=status, ended=ended), step("solution", phase="REPLACEABLE"))
    assert (found["phase"], found["reason"]) == ("CHANGING", "")
