"""What a teardown refuses before it removes anything, and in which order it would remove the rest."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.groups.teardown import NotOursError, TeardownPlanner, UnfinishedTrainingError, refuse_what_is_not_ours
from lambdas.personalize.resources import RESOURCES, ResourceType
from tests.lambdas.personalize.fake_personalize import FakePersonalize

PREFIX = "arn:aws:personalize:eu-west-1:123456789012"
OURS = {"tagKey": "made-by", "tagValue": "shop-dev"}


class Account(FakePersonalize):
    """A group with one of each kind, and a version of its solution in some status."""

    def __init__(self, version_status: str = "ACTIVE", *foreign: str) -> None:
        self._version_status = version_status
        self._foreign = foreign

    arn_prefix = PREFIX

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        return {row.arn_key: arn, "status": "ACTIVE", "minProvisionedTPS": 3, "schemaArn": "arn:schema"}

    def tags(self, arn: str) -> list[dict[str, str]]:
        return [] if arn.rpartition("/")[2] in self._foreign else [OURS]

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        if row.noun in ("schema", "dataset") and parent_arn is None:
            return
        yield {
            row.arn_key: f"{PREFIX}:{row.noun}/a-{row.noun}",
            "name": f"a-{row.noun}",
            "status": self._version_status,
        }


def test_nothing_goes_while_a_training_is_under_way() -> None:
    with pytest.raises(UnfinishedTrainingError, match="a-solution_version: wait for its end, or stop it"):
        TeardownPlanner(Account("CREATE IN_PROGRESS"), OURS).group("shop")


def test_every_kind_that_can_go_has_its_place_behind_its_dependants() -> None:
    levels = TeardownPlanner(Account(), OURS).group("shop")
    order = [one.noun for level in levels for one in level]
    assert set(order) == {row.noun for row in RESOURCES.values() if row.deletable} - {"schema"}
    for row in RESOURCES.values():
        if row.deletable and row.parent is not None:
            assert order.index(row.noun) < order.index(row.parent), row.noun


def test_what_bills_is_told() -> None:
    levels = TeardownPlanner(Account(), OURS).group("shop")
    assert {one.noun: one.bills for one in levels[0]} == {
        "campaign": {"minProvisionedTPS": 3},
        "recommender": {"minProvisionedTPS": 3},
    }


def test_what_somebody_else_made_is_named_before_anything_goes() -> None:
    levels = TeardownPlanner(Account("ACTIVE", "a-filter", "a-campaign"), OURS).group("shop")
    with pytest.raises(NotOursError, match="did not make campaign a-campaign, filter a-filter; say"):
        refuse_what_is_not_ours(levels)
    refuse_what_is_not_ours(TeardownPlanner(Account(), OURS).group("shop"))


def test_a_resource_that_is_gone_needs_nothing() -> None:
    gone: Any = SimpleNamespace(find=lambda *_: None)
    assert TeardownPlanner(gone, OURS).resource("campaign", {"name": "x"}, None) == []
