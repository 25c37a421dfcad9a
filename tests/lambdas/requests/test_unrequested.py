"""What a group has and its request does not name."""

from collections.abc import Iterator
from typing import Any

from lambdas.personalize.resources import ResourceType
from lambdas.requests.unrequested import unrequested
from tests.lambdas.personalize.fake_personalize import FakePersonalize
from tests.lambdas.requests.test_plan import EXAMPLE, planner


class NotFoundError(Exception):
    """Stands for the service's ResourceNotFoundException."""


class Group(FakePersonalize):
    """A group with these resources; without any it does not exist."""

    class errors:  # noqa: N801 - the name boto3 gives them
        """The exceptions of the service."""

        ResourceNotFoundException = NotFoundError
        InvalidInputException = NotFoundError

    def __init__(self, *resources: tuple[str, str, str]) -> None:
        self.resources = resources

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        if not self.resources:
            raise NotFoundError
        for noun, name, status in self.resources:
            if noun == row.noun:
                named = {"datasetType": name} if noun == "dataset" else {"name": name}
                named["datasetGroupArn"] = str(parent_arn)
                yield {**named, "status": status, row.arn_key: row.arn(self.arn_prefix, named) or "arn:invented"}


def test_everything_that_is_asked_for_is_known() -> None:
    names = [("dataset", name.upper()) for name in EXAMPLE["datasets"]]
    names += [("filter", "movies-unwatched"), ("event_tracker", "any"), ("solution", "movies-for-you")]
    names += [("campaign", "movies-for-you")]
    group = Group(*((noun, name, "ACTIVE") for noun, name in names))
    assert unrequested(planner(), group) == []


def test_what_is_not_asked_for_any_more_is_told_by_kind_and_name() -> None:
    gone = [("dataset", "ACTIONS"), ("filter", "old"), ("solution", "old"), ("campaign", "old"), ("recommender", "old")]
    group = Group(*((noun, name, "ACTIVE") for noun, name in gone), ("filter", "older", "DELETE IN_PROGRESS"))
    expected = ["campaign old", "dataset actions", "filter old", "recommender old", "solution old"]
    assert unrequested(planner(), group) == expected
    tracked = Group(("event_tracker", "events", "ACTIVE"))
    assert unrequested(planner({**EXAMPLE, "eventTracker": None}), tracked) == ["event_tracker events"]


def test_a_group_that_is_made_by_this_run_has_nothing() -> None:
    assert unrequested(planner(), Group()) == []
