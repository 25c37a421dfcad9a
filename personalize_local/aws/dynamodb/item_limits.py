"""Refuse what is too large for DynamoDB: keys of tables and indexes, items, item collections, batches, transactions.

moto looks at the keys of a put only and leaves out local indexes, refuses items that DynamoDB takes, keeps half of an
update that it refuses, and knows no bound of a collection, a transaction's size or a batch.
"""

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

from moto.dynamodb import responses
from moto.dynamodb.exceptions import (
    HashKeyTooLong,
    ItemSizeTooLarge,
    ItemSizeToUpdateTooLarge,
    MockValidationException,
    RangeKeyTooLong,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from personalize_local.aws.corrections import Correction
from personalize_local.aws.dynamodb import item_collections
from personalize_local.aws.dynamodb.item_sizes import item_size, value_size
from personalize_local.aws.limits import (
    BATCH,
    BATCH_WRITES,
    ITEM,
    PARTITION_KEY,
    SORT_KEY,
    TRANSACTION,
    TRANSACTION_ITEMS,
)

Attributes = Any  # names to typed values, as moto keeps them or as the wire carries them


def check_keys(table: Any, attributes: Attributes) -> None:
    """Raise ValidationException for a key of the table or of one of its indexes that is too long."""
    schemas = [table.schema, *(index.schema for index in table.indexes + table.global_indexes)]
    for key in (key for schema in schemas for key in schema):
        name, is_partition = key["AttributeName"], key["KeyType"] == "HASH"
        size = value_size(attributes[name]) if name in attributes else 0
        if is_partition and size > PARTITION_KEY.value:
            raise HashKeyTooLong
        if not is_partition and size > SORT_KEY.value:
            raise RangeKeyTooLong


def set_attribute(attributes: LimitedSizeDict, name: str, value: Any) -> None:
    """Set an attribute of a stored item, unless the item becomes too large."""
    typed = value if isinstance(value, DynamoType) else DynamoType(value)
    if item_size({**attributes, name: typed}) > ITEM.value:
        raise ItemSizeTooLarge
    dict.__setitem__(attributes, name, value)


_put_as_moto = Table.put_item


@functools.wraps(_put_as_moto)
def put_item(table: Any, item_attrs: dict[str, Any], *arguments: Any, **named: Any) -> Item:
    """Put an item, unless it makes its collection too large."""
    check_keys(table, item_attrs)
    before = item_collections.find(table, item_attrs)
    item = _put_as_moto(table, item_attrs, *arguments, **named)
    item_collections.replace(table, before, item, before)
    return item


_delete_as_moto = Table.delete_item


@functools.wraps(_delete_as_moto)
def delete_item(table: Any, *arguments: Any, **named: Any) -> Item | None:
    """Delete an item, which makes its collection smaller."""
    deleted = _delete_as_moto(table, *arguments, **named)
    item_collections.count(table, deleted, None)
    return deleted


_update_as_moto = DynamoDBBackend.update_item


@functools.wraps(_update_as_moto)
def update_item(backend: Any, table_name: str, key: dict[str, Any], *arguments: Any, **named: Any) -> Item:
    """Update an item, or leave it as it was when it becomes too large."""
    table = backend.get_table(table_name)
    check_keys(table, key)
    before = copy.deepcopy(item_collections.find(table, key))
    try:
        item = _update_as_moto(backend, table_name, key, *arguments, **named)
        check_keys(table, item.attrs)
    except (ItemSizeToUpdateTooLarge, HashKeyTooLong, RangeKeyTooLong):
        item_collections.put_back(table, key, before)
        raise
    # A new item has been put, and counted, with nothing but its key.
    counted = before or Item(item.hash_key, item.range_key, key)
    item_collections.replace(table, counted, item, before)
    return item


def bounded(answer: Callable[..., Any], check: Callable[[dict[str, Any]], None]) -> Callable[..., Any]:
    """Make an operation check its request first."""

    def answer_bounded(response: Any) -> Any:
        check(response.body)
        return answer(response)

    return answer_bounded


def check_batch(request: dict[str, Any]) -> None:
    """Raise ValidationException for a BatchWriteItem of too many requests, or too large a one."""
    writes = [write for writes in request["RequestItems"].values() for write in writes]
    if len(writes) > BATCH_WRITES.value:
        raise MockValidationException("Too many items requested for the BatchWriteItem call")
    if _total(write["PutRequest"]["Item"] for write in writes if "PutRequest" in write) > BATCH.value:
        raise MockValidationException("The total size of the BatchWriteItem request exceeds 16 MB")


def check_transaction(request: dict[str, Any]) -> None:
    """Raise ValidationException for a TransactWriteItems that carries too much."""
    parts = [part for item in request["TransactItems"] for part in item.values()]
    carried = (
        {**part.get("Key", {}), **part.get("Item", {}), **part.get("ExpressionAttributeValues", {})} for part in parts
    )
    if _total(carried) > TRANSACTION.value:
        raise MockValidationException("The aggregate size of the items in the transaction exceeds 4 MB")


def _total(items: Iterable[Attributes]) -> int:
    return sum(map(item_size, items))


CORRECTIONS = (
    Correction(LimitedSizeDict, "__setitem__", set_attribute, "an item of 405,001 bytes is refused"),
    Correction(Table, "put_item", put_item, "sort keys of local indexes and collections have no bound"),
    Correction(Table, "delete_item", delete_item, "collections are not measured"),
    Correction(DynamoDBBackend, "update_item", update_item, "keys have any length, and half an update is kept"),
    Correction(
        DynamoHandler, "batch_write_item", bounded(DynamoHandler.batch_write_item, check_batch), "a batch has no bound"
    ),
    Correction(
        DynamoHandler,
        "transact_write_items",
        bounded(DynamoHandler.transact_write_items, check_transaction),
        "a transaction may be of any size",
    ),
    Correction(responses, "TRANSACTION_MAX_ITEMS", TRANSACTION_ITEMS.value, "TransactGetItems takes 25 instead of 100"),
)
