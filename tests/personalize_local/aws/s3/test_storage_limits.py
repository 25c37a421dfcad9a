"""What S3 and DynamoDB do not take: long keys, large items, large collections, large batches."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.dynamodb import item_collections
from personalize_local.aws.dynamodb.item_sizes import item_size
from personalize_local.aws.limits import ITEM, ITEM_COLLECTION, OBJECT_KEY, PARTITION_KEY, SORT_KEY, TRANSACTION
from personalize_local.cloud import Cloud

KEYS = ("pk", "sk", "open", "group", "at")
_numbers = itertools.count()


@pytest.fixture
def s3(aws: Cloud) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="kept")
    return client


@pytest.mark.parametrize("letter", ["x", "é", "日", "😀"])
def test_a_key_is_measured_in_bytes(s3: Any, letter: str) -> None:
    """Fact: 1,024 bytes of UTF-8; KeyTooLongError, "Your key is too long", HTTP 400."""
    longest = letter * (OBJECT_KEY.value // len(letter.encode()))
    s3.put_object(Bucket="kept", Key=longest, Body=b"1")
    assert s3.get_object(Bucket="kept", Key=longest)["Body"].read() == b"1"
    with pytest.raises(ClientError, match="Your key is too long") as caught:
        s3.put_object(Bucket="kept", Key=longest + letter, Body=b"1")
    assert caught.value.response["Error"]["Code"] == "KeyTooLongError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_whatever_is_done_with_a_long_key_is_refused(s3: Any) -> None:
    s3.put_object(Bucket="kept", Key="short", Body=b"1")
    place: dict[str, Any] = {"Bucket": "kept", "Key": "é" * 513}
    copied = {"CopySource": {"Bucket": "kept", "Key": "short"}}
    for call, more in ((s3.copy_object, copied), (s3.create_multipart_upload, {}), (s3.get_object, {})):
        with pytest.raises(ClientError, match="KeyTooLongError"):
            call(**place, **more)


def test_plain_moto_takes_any_key(s3: Any) -> None:
    with moto_as_shipped("S3Response.parse_key_name"):
        s3.put_object(Bucket="kept", Key="x" * 3000, Body=b"1")


@pytest.fixture
def table(aws: Cloud) -> Iterator["Items"]:
    """Return a table with a local and a global index."""
    name = f"table-{next(_numbers)}"
    keys = {"pk": "HASH", "sk": "RANGE"}
    indexes = {"local": {"pk": "HASH", "open": "RANGE"}, "global": {"group": "HASH", "at": "RANGE"}}

    def schema(of: dict[str, str]) -> list[dict[str, str]]:
        return [{"AttributeName": attribute, "KeyType": kind} for attribute, kind in of.items()]

    made = {
        name: {"IndexName": name, "KeySchema": schema(of), "Projection": {"ProjectionType": "ALL"}}
        for name, of in indexes.items()
    }
    client = aws.client("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=schema(keys),
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "open", "group", "at")
        ],
        LocalSecondaryIndexes=[made["local"]],
        GlobalSecondaryIndexes=[made["global"]],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Items(client, name)
    client.delete_table(TableName=name)


class Items:
    """Short ways to write text attributes."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def put(self, pk: str = "p", sk: str = "s", **texts: str) -> None:
        item = {name: {"S": text} for name, text in {"pk": pk, "sk": sk, **texts}.items()}
        self.client.put_item(TableName=self.name, Item=item)

    def update(self, pk: str = "p", sk: str = "s", **texts: str) -> None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        self.client.update_item(
            TableName=self.name,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in texts),
            ExpressionAttributeNames={f"#{name}": name for name in texts},
            ExpressionAttributeValues={f":{name}": {"S": text} for name, text in texts.items()},
        )

    def delete(self, pk: str = "p", sk: str = "s") -> None:
        self.client.delete_item(TableName=self.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def get(self, pk: str = "p", sk: str = "s") -> Any:
        answer = self.client.get_item(TableName=self.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})
        return {name: value["S"] for name, value in answer.get("Item", {}).items()} or None


PARTITION = "Size of hashkey has exceeded the maximum size limit of2048 bytes"
SORT = "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"


@pytest.mark.parametrize(
    ("attribute", "limit", "text"),
    [
        ("pk", PARTITION_KEY, PARTITION),
        ("sk", SORT_KEY, SORT),
        ("open", SORT_KEY, SORT),
        ("group", PARTITION_KEY, PARTITION),
        ("at", SORT_KEY, SORT),
    ],
)
@pytest.mark.parametrize("write", ["put", "update"])
def test_every_key_is_measured_in_bytes(table: Items, write: str, attribute: str, limit: Any, text: str) -> None:
    """Fact: 2,048 bytes for a partition key and 1,024 for a sort key, those of indexes too, whoever writes them."""
    call = getattr(table, write)
    more = {"note": "n"} if write == "update" else {}
    longest = "é" * (limit.value // 2)
    call(**{attribute: longest}, **more)
    with pytest.raises(ClientError, match=text):
        call(**{attribute: longest + "x"}, **more)
    if write == "update" and attribute in {"open", "group", "at"}:
        assert table.get() == {"pk": "p", "sk": "s", attribute: longest, "note": "n"}


def test_plain_moto_forgets_some_keys(table: Items) -> None:
    with moto_as_shipped("Table.put_item"):
        table.put(open="x" * 2000)
    with moto_as_shipped("DynamoDBBackend.update_item"):
        table.update(group="x" * 3000)


def test_an_item_has_400_kib(table: Items) -> None:
    """Fact: 409,600 bytes, names included."""
    rest = item_size({"pk": {"S": "p"}, "sk": {"S": "s"}, "body": {"S": ""}})
    longest = "x" * (ITEM.value - rest)
    table.put(body=longest)
    with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
        table.put(body=longest + "x")
    with pytest.raises(ClientError, match="Item size to update has exceeded the maximum allowed size"):
        table.update(a="1", body=longest + "x", c="3")
    assert table.get() == {"pk": "p", "sk": "s", "body": longest}
    with moto_as_shipped("LimitedSizeDict.__setitem__"), pytest.raises(ClientError, match="Item size has exceeded"):
        table.put(body=longest)


def test_sizes_are_those_of_the_developer_guide() -> None:
    """Fact: a list or map has 3 bytes and one per element, a number one per two digits and one, names count."""
    attributes: dict[str, Any] = {"é": {"S": "日"}, "n": {"N": "-1200.5"}, "b": {"BOOL": True}, "none": {"NULL": True}}
    assert item_size(attributes) == (2 + 3) + (1 + 4) + (1 + 1) + (4 + 1)
    nested: dict[str, Any] = {"l": {"L": [{"S": "ab"}, {"M": {"k": {"S": "v"}}}]}, "s": {"SS": ["x", "yz"]}}
    assert item_size(nested) == 1 + 3 + (1 + 2) + (1 + 3 + 1 + 1 + 1) + 1 + 3


@pytest.fixture
def small_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ITEM_COLLECTION.value == 10 * 2**30
    monkeypatch.setattr(item_collections, "ITEM_COLLECTION", replace(ITEM_COLLECTION, value=1000))


@pytest.mark.usefixtures("small_collections")
def test_a_collection_has_a_bound(table: Items) -> None:
    """Fact: items of one partition key in a table with a local index, the index's entries counted too."""
    table.put(sk="1", body="x" * 400)
    table.put(pk="another", sk="1", body="x" * 900)
    with pytest.raises(ClientError, match="ItemCollectionSizeLimitExceededException") as caught:
        table.put(sk="2", body="x" * 600)
    assert caught.value.response["Error"]["Message"] == "Collection size exceeded."
    assert table.get(sk="2") is None
    with pytest.raises(ClientError, match="Collection size exceeded"):
        table.put(sk="2", body="x" * 300, open="yes")  # counts twice: once in the index
    table.put(sk="2", body="x" * 300)
    with pytest.raises(ClientError, match="Collection size exceeded"):
        table.update(sk="2", open="yes")
    assert table.get(sk="2") == {"pk": "p", "sk": "2", "body": "x" * 300}


@pytest.mark.usefixtures("small_collections")
def test_what_is_deleted_or_overwritten_makes_room(table: Items) -> None:
    for _ in range(3):
        table.put(sk="1", body="x" * 900)
        table.put(sk="1", body="x" * 100)
        table.update(sk="2", body="x" * 600)
        table.update(sk="2", body="x" * 10)
        table.delete(sk="1")
        table.delete(sk="2")
    with moto_as_shipped("Table.delete_item"):
        table.put(sk="1", body="x" * 900)
        table.delete(sk="1")
        with pytest.raises(ClientError, match="Collection size exceeded"):
            table.put(sk="1", body="x" * 900)


@pytest.mark.usefixtures("small_collections")
def test_a_transaction_that_fails_leaves_the_count(table: Items) -> None:
    fits = {"Put": {"TableName": table.name, "Item": {"pk": {"S": "p"}, "sk": {"S": "1"}, "body": {"S": "x" * 500}}}}
    never = {
        "ConditionCheck": {
            "TableName": table.name,
            "Key": {"pk": {"S": "p"}, "sk": {"S": "no"}},
            "ConditionExpression": "attribute_exists(pk)",
        }
    }
    for _ in range(3):
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            table.client.transact_write_items(TransactItems=[fits, never])
    table.put(sk="1", body="x" * 900)


def test_a_batch_has_25_writes(table: Items) -> None:
    def writes(count: int) -> list[Any]:
        return [{"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": str(number)}}}} for number in range(count)]

    table.client.batch_write_item(RequestItems={table.name: writes(25)})
    with pytest.raises(ClientError, match="Too many items requested for the BatchWriteItem call"):
        table.client.batch_write_item(RequestItems={table.name: writes(26)})
    with moto_as_shipped("DynamoHandler.batch_write_item"):
        table.client.batch_write_item(RequestItems={table.name: writes(26)})


def test_a_transaction_has_4_mb_and_100_items(table: Items) -> None:
    def puts(count: int, length: int) -> list[Any]:
        body = {"S": "x" * length}
        return [
            {"Put": {"TableName": table.name, "Item": {"pk": {"S": f"p{number}"}, "sk": {"S": "s"}, "body": body}}}
            for number in range(count)
        ]

    table.client.transact_write_items(TransactItems=puts(10, 400_000))
    assert TRANSACTION.value < 11 * 400_000
    with pytest.raises(ClientError, match="exceeds 4 MB"):
        table.client.transact_write_items(TransactItems=puts(11, 400_000))
    with pytest.raises(ClientError, match="less than or equal to 100"):
        table.client.transact_write_items(TransactItems=puts(101, 1))
    with moto_as_shipped("DynamoHandler.transact_write_items"):
        table.client.transact_write_items(TransactItems=puts(11, 400_000))


def test_a_transaction_reads_up_to_100_items(table: Items) -> None:
    gets = [
        {"Get": {"TableName": table.name, "Key": {"pk": {"S": str(number)}, "sk": {"S": "s"}}}} for number in range(101)
    ]
    table.client.transact_get_items(TransactItems=gets[:100])
    with pytest.raises(ClientError, match="less than or equal to 100"):
        table.client.transact_get_items(TransactItems=gets)
    with moto_as_shipped("dynamodb.responses.TRANSACTION_MAX_ITEMS"), pytest.raises(ClientError, match="equal to 25"):
        table.client.transact_get_items(TransactItems=gets[:26])
