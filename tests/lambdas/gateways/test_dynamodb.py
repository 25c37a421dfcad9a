"""The two tables, in DynamoDB (as moto plays it, made as the stack makes it) and in memory, behave the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.gateways.dynamodb import ABSENT, AtMost, DynamoTable, Item, Table
from tests.lambdas.gateways.memory_table import MemoryTable

ROOT = Path(__file__).parents[3]


def dynamo_client() -> Any:
    return boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")


def make_table(client: Any) -> None:
    names = ("dataset", "entry", "open")
    client.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=keys("dataset", "entry"),
        LocalSecondaryIndexes=[
            {"IndexName": "open", "KeySchema": keys("dataset", "open"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )


def keys(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


@pytest.fixture(params=["dynamodb", "memory"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "memory":
        yield MemoryTable()
        return
    with mock_aws():
        client = dynamo_client()
        make_table(client)
        yield DynamoTable(client, "ledger")


def test_an_item_is_created_once(table: Table) -> None:
    item: Item = {"dataset": "d", "entry": "e", "text": "ä", "number": 7, "flag": True, "off": False, "empty": ""}
    assert table.create(dict(item))
    assert not table.create({**item, "text": "other"})
    assert table.get("d", "e") == item
    assert table.get("d", "f") is None


def test_an_update_makes_what_is_absent_and_adds_to_what_is_there(table: Table) -> None:
    assert table.update("d", "e", add={"count": 1}) == {"dataset": "d", "entry": "e", "count": 1}
    updated = table.update("d", "e", put={"name": "x"}, add={"count": 2})
    assert updated == {"dataset": "d", "entry": "e", "count": 3, "name": "x"}
    assert table.update("d", "e", remove=("name",)) == {"dataset": "d", "entry": "e", "count": 3}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"state": "WAITING"}, True),
        ({"state": "CLAIMED"}, False),
        ({"state": ("CLAIMED", "WAITING")}, True),
        ({"other": ABSENT}, True),
        ({"state": ABSENT}, False),
        ({"other": (ABSENT, "x")}, True),
        ({"epoch": AtMost(3)}, True),
        ({"epoch": AtMost(2)}, False),
        ({"other": AtMost(2)}, False),
        ({"epoch": (ABSENT, AtMost(2))}, False),
        ({"state": "WAITING", "epoch": 3}, True),
        ({"state": "WAITING", "epoch": 4}, False),
        ({"state": ""}, False),
    ],
)
def test_conditions(table: Table, when: Any, holds: bool) -> None:
    table.create({"dataset": "d", "entry": "e", "state": "WAITING", "epoch": 3})
    updated = table.update("d", "e", put={"seen": True}, when=when)
    assert (updated is not None) == holds
    assert ("seen" in (table.get("d", "e") or {})) == holds


def test_what_carries_open_is_unsettled_and_sorted_by_it(table: Table) -> None:
    for entry, place in (("a", "3"), ("b", "1"), ("c", "2"), ("d", None)):
        table.create({"dataset": "d", "entry": entry, **({"open": place} if place else {})})
    table.create({"dataset": "other", "entry": "x", "open": "0"})
    assert [item["entry"] for item in table.unsettled("d")] == ["b", "c", "a"]
    table.update("d", "c", remove=("open",))
    assert [item["entry"] for item in table.unsettled("d")] == ["b", "a"]


def test_entries_by_prefix(table: Table) -> None:
    for entry in ("file#b#1", "file#a#2", "file#a#1", "lease"):
        table.create({"dataset": "d", "entry": entry})
    assert [item["entry"] for item in table.entries("d", "file#a#")] == ["file#a#1", "file#a#2"]
    assert len(list(table.entries("d"))) == 4


def test_nothing_scans() -> None:
    """A selection: no hot path reads the table from end to end, and nothing else does either."""
    sources = [*(ROOT / "lambdas" / "uploads").glob("*.py"), *(ROOT / "lambdas").glob("*.py")]
    assert not [path.name for path in sources if ".scan(" in path.read_text() or '"scan"' in path.read_text()]
