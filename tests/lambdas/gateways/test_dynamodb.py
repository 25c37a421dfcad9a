"""The two tables, in DynamoDB (as moto plays it, made as the stack makes it) and in memory, behave the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.table import ABSENT, AtMost, Condition, Delete, Item, Put, Table
from lambdas.gateways.transient import TransientError
from tests.lambdas.gateways.memory_table import MemoryTable

ROOT = Path(__file__).parents[3]


def dynamo_client(**options: Any) -> Any:
    return boto3.client(
        "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test", **options
    )


def make_table(client: Any) -> None:
    client.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("dataset", "entry")],
        KeySchema=[
            {"AttributeName": "dataset", "KeyType": "HASH"},
            {"AttributeName": "entry", "KeyType": "RANGE"},
        ],
    )


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


NEW: Condition = {"entry": ABSENT}


def test_a_transaction_is_made_whole_or_not_at_all(table: Table) -> None:
    one: Item = {"dataset": "d", "entry": "1"}
    other: Item = {"dataset": "e", "entry": "2", "state": "WAITING", "epoch": 3}
    assert table.commit(Put(one, when=NEW), Put(other))
    assert not table.commit(Put({**one, "again": True}, when=NEW), Put({**other, "again": True}))
    assert not table.commit(Put({**other, "again": True}), Put({**one, "again": True}, when=NEW))
    assert (table.get("d", "1"), table.get("e", "2")) == (one, other)


@pytest.mark.parametrize("when", [{"state": "CLAIMED"}, {"epoch": AtMost(2)}, {"state": "WAITING", "other": "x"}])
def test_a_delete_whose_condition_does_not_hold_stops_its_transaction(table: Table, when: Condition) -> None:
    table.create({"dataset": "e", "entry": "2", "state": "WAITING", "epoch": 3})
    settled: Item = {"dataset": "d", "entry": "1", "state": "IMPORTED"}
    assert not table.commit(Delete("e", "2", when=when), Put(settled))
    assert table.get("d", "1") is None
    assert table.commit(
        Delete("e", "2", when={"state": ("CLAIMED", "WAITING"), "epoch": (ABSENT, AtMost(3))}), Put(settled)
    )
    assert (table.get("e", "2"), table.get("d", "1")) == (None, settled)
    assert not table.commit(Delete("e", "2", when={"state": "WAITING"}), Put({**settled, "state": "REJECTED"}))
    assert table.get("d", "1") == settled


class Cancelling:
    """A client whose transactions are cancelled, for these reasons."""

    def __init__(self, *codes: str) -> None:
        self._codes = codes
        self.exceptions = dynamo_client().exceptions

    def transact_write_items(self, **_: Any) -> None:
        reasons = [{"Code": code} for code in self._codes]
        raise self.exceptions.TransactionCanceledException(
            {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}, "TransactWriteItems"
        )


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_met_another_one_may_be_tried_again(code: str) -> None:
    """Fact: the reasons that the API reference of TransactionCanceledException lists."""
    table = DynamoTable(Cancelling("None", code), "ledger")
    with pytest.raises(TransientError):
        table.commit(Put({"dataset": "d", "entry": "e"}))
    # What is known already stays known, whatever else was in the way.
    assert not DynamoTable(Cancelling("ConditionalCheckFailed", code), "ledger").commit(Delete("d", "e", NEW))


def test_a_transaction_that_can_never_be_made_is_an_error() -> None:
    with pytest.raises(ClientError):
        DynamoTable(Cancelling("ValidationError", "None"), "ledger").commit(Put({"dataset": "d", "entry": "e"}))


def test_a_transaction_whose_answer_was_lost_is_not_made_twice() -> None:
    """The retry that boto3 makes by itself carries the token of the first try."""
    client = dynamo_client(config=Config(retries={"total_max_attempts": 2}))
    tokens = []

    def lose(request: Any, **_: Any) -> None:
        tokens.append(json.loads(request.body)["ClientRequestToken"])
        raise EndpointConnectionError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", lose)
    with pytest.raises(EndpointConnectionError):
        DynamoTable(client, "ledger").commit(Put({"dataset": "d", "entry": "e"}))
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_entries_by_prefix(table: Table) -> None:
    for entry in ("file#b#1", "file#a#2", "file#a#1", "lease"):
        table.create({"dataset": "d", "entry": entry})
    assert [item["entry"] for item in table.entries("d", "file#a#")] == ["file#a#1", "file#a#2"]
    assert len(list(table.entries("d"))) == 4
    assert table.has_entries("d", "file#a#")
    assert not table.has_entries("d", "file#c#")


def test_nothing_scans() -> None:
    """A selection: no hot path reads the table from end to end, and nothing else does either."""
    sources = [*(ROOT / "lambdas" / "uploads").glob("*.py"), *(ROOT / "lambdas").glob("*.py")]
    assert not [path.name for path in sources if ".scan(" in path.read_text() or '"scan"' in path.read_text()]
