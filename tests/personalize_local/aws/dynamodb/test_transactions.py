"""Transactions of DynamoDB: whole or not at all, and nothing that others wrote is lost."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.current_cloud import ACCOUNT_ID, REGION
from personalize_local.cloud import Cloud

_numbers = itertools.count()


class Items:
    """A table of items whose only other attribute is a text, and the parts of transactions on them."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def put(self, key: str, text: str, **more: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self.name, "Item": {**_key(key), "text": {"S": text}}, **more}}

    def delete(self, key: str, **more: Any) -> dict[str, Any]:
        return {"Delete": {"TableName": self.name, "Key": _key(key), **more}}

    def check(self, key: str, **more: Any) -> dict[str, Any]:
        return {"ConditionCheck": {"TableName": self.name, "Key": _key(key), **more}}

    def update(self, key: str, text: str) -> dict[str, Any]:
        update = {"UpdateExpression": "SET #t = :t", "ExpressionAttributeNames": {"#t": "text"}}
        values = {"ExpressionAttributeValues": {":t": {"S": text}}}
        return {"Update": {"TableName": self.name, "Key": _key(key), **update, **values}}

    def write(self, *parts: dict[str, Any]) -> None:
        self.client.transact_write_items(TransactItems=list(parts))

    def texts(self) -> dict[str, str]:
        items = self.client.scan(TableName=self.name)["Items"]
        return {item["p"]["S"]: item["text"]["S"] for item in items}


NEW = {"ConditionExpression": "attribute_not_exists(p)"}
OLD = {"ConditionExpression": "attribute_exists(p)"}


def _key(key: str) -> dict[str, Any]:
    return {"p": {"S": key}, "s": {"S": "s"}}


@pytest.fixture
def items(aws: Cloud) -> Iterator[Items]:
    client, name = aws.client("dynamodb"), f"transactions-{next(_numbers)}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in "ps"],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Items(client, name)
    client.delete_table(TableName=name)


def reasons(items: Items, *parts: dict[str, Any]) -> list[str]:
    with pytest.raises(ClientError) as caught:
        items.write(*parts)
    assert caught.value.response["Error"]["Code"] == "TransactionCanceledException"
    return [reason["Code"] for reason in caught.value.response["CancellationReasons"]]


def test_all_operations_are_made(items: Items) -> None:
    items.write(items.put("a", "1", **NEW), items.put("b", "1"))
    items.write(items.delete("a", **OLD), items.update("b", "2"), items.put("c", "1"), items.check("d", **NEW))
    assert items.texts() == {"b": "2", "c": "1"}


def test_every_reason_is_told_and_nothing_is_made(items: Items) -> None:
    items.write(items.put("a", "1"))
    parts = (items.put("a", "2", **NEW), items.put("b", "2"), items.delete("c", **OLD), items.check("d", **OLD))
    broken = "ConditionalCheckFailed"
    assert reasons(items, *parts) == [broken, "None", broken, broken]
    assert items.texts() == {"a": "1"}


def test_an_operation_that_cannot_be_made_takes_the_others_back(items: Items) -> None:
    """Fact: an item that becomes too large cancels its transaction."""
    items.write(items.put("a", "1"), items.put("b", "1"))
    parts = (items.delete("a"), items.put("c", "1"), items.update("b", "x" * 409_600))
    assert [code == "None" for code in reasons(items, *parts)] == [True, True, False]
    assert items.texts() == {"a": "1", "b": "1"}


def test_two_operations_on_one_item_are_refused(items: Items) -> None:
    with pytest.raises(ClientError, match="cannot include multiple operations on one item"):
        items.write(items.put("a", "1"), items.delete("a"))
    assert items.texts() == {}


def replaces_the_table(items: Items) -> bool:
    """Say whether a transaction that is cancelled leaves another table than there was, without what came meanwhile."""
    tables = dynamodb_backends[ACCOUNT_ID][REGION].tables
    before = tables[items.name]
    reasons(items, items.delete("nobody", **OLD))
    return tables[items.name] is not before


def test_a_cancelled_transaction_leaves_the_table_alone(items: Items) -> None:
    assert not replaces_the_table(items)
    with moto_as_shipped("DynamoDBBackend.transact_write_items"):
        assert replaces_the_table(items)
