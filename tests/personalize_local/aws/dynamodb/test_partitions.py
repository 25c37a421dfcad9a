"""Queries of DynamoDB: what they read, and that they hold while others write."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.cloud import Cloud

KEYS = [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]
BY_OTHER = [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "o", "KeyType": "RANGE"}]
TURNED = [{"AttributeName": "s", "KeyType": "HASH"}, {"AttributeName": "p", "KeyType": "RANGE"}]


@pytest.fixture(scope="module")
def client(aws: Cloud) -> Iterator[Any]:
    client = aws.client("dynamodb")
    projection = {"ProjectionType": "ALL"}
    client.create_table(
        TableName="partitions",
        KeySchema=KEYS,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "pso"],
        BillingMode="PAY_PER_REQUEST",
        LocalSecondaryIndexes=[{"IndexName": "local", "KeySchema": BY_OTHER, "Projection": projection}],
        GlobalSecondaryIndexes=[{"IndexName": "global", "KeySchema": TURNED, "Projection": projection}],
    )
    for partition in range(3):
        for sort in range(4):
            item = {"p": {"S": f"p{partition}"}, "s": {"S": f"s{sort}"}, "o": {"S": f"o{9 - sort}"}}
            client.put_item(TableName="partitions", Item=item)
    yield client
    client.delete_table(TableName="partitions")


def found(client: Any, condition: str, **arguments: Any) -> list[str]:
    values = {":k": {"S": arguments.pop("key")}}
    answer = client.query(
        TableName="partitions", KeyConditionExpression=condition, ExpressionAttributeValues=values, **arguments
    )
    return [f"{item['p']['S']}{item['s']['S']}" for item in answer["Items"]]


def test_a_query_finds_its_partition_in_order(client: Any) -> None:
    assert found(client, "p = :k", key="p1") == ["p1s0", "p1s1", "p1s2", "p1s3"]
    assert found(client, "p = :k", key="p1", IndexName="local") == ["p1s3", "p1s2", "p1s1", "p1s0"]
    assert found(client, "s = :k", key="s2", IndexName="global") == ["p0s2", "p1s2", "p2s2"]
    assert found(client, "p = :k", key="none") == []
    assert client.scan(TableName="partitions")["Count"] == 12


def looked_at(client: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many items a query of one partition sorts."""
    counts: list[int] = []
    original = Table.all_items

    def counted(table: Table) -> Any:
        items = original(table)
        counts.append(len(items))
        return items

    monkeypatch.setattr(Table, "all_items", counted)
    found(client, "p = :k", key="p1")
    monkeypatch.undo()
    return sum(counts)


def test_a_query_looks_at_one_partition(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(client, monkeypatch) == 4
    with moto_as_shipped("Table.query"):
        assert looked_at(client, monkeypatch) == 12


class SlowKeys(dict[Any, Any]):
    """A partition to which another thread writes while it is looked at."""

    def values(self) -> Any:
        for number, value in enumerate(super().values()):
            if not number:
                writer = threading.Thread(target=self.__setitem__, args=(DynamoType({"S": "new"}), value))
                writer.start()
                writer.join()
            yield value


def test_a_write_during_a_query_does_not_break_it() -> None:
    table: Any = Table.__new__(Table)
    table.range_key_attr, table.hash_key_attr = "s", "p"
    items = {DynamoType({"S": f"s{number}"}): _item(number) for number in range(3)}
    table.items = {DynamoType({"S": "p"}): dict(items)}
    assert len(table.all_items()) == 3
    with moto_as_shipped("Table.all_items"):
        table.items = {DynamoType({"S": "p"}): SlowKeys(items)}
        with pytest.raises(RuntimeError, match="changed size during iteration"):
            table.all_items()


def _item(number: int) -> Any:
    from moto.dynamodb.models.dynamo_type import Item  # noqa: PLC0415 - beside its one use

    key, sort = DynamoType({"S": "p"}), DynamoType({"S": f"s{number}"})
    return Item(key, sort, {"p": {"S": "p"}, "s": {"S": f"s{number}"}})
