"""Measure the item collections of tables with local indexes, and refuse to let one grow beyond its bound.

The size of each collection is kept with its table and changed by what a write adds or takes away, so that a write costs
the same however large its collection is.
"""

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from personalize_local.aws.dynamodb.item_sizes import item_size
from personalize_local.aws.limits import ITEM_COLLECTION


class ItemCollectionSizeLimitExceededException(DynamodbException):
    """The items of one partition key, and their entries in local indexes, are too large together."""

    def __init__(self) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException", "Collection size exceeded."
        )


def find(table: Any, attributes: Mapping[str, Any]) -> Item | None:
    """Return the stored item of this key, if there is one; the attributes may be a key or a whole item."""
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name is not None]
    if any(name not in attributes for name in names):
        return None
    item: Item | None = table.get_item(*(DynamoType(attributes[name]) for name in names))
    return item


def put_back(table: Any, key: Mapping[str, Any], before: Item | None) -> None:
    """Let the table have this item as it was before a write, or not at all."""
    partition = DynamoType(key[table.hash_key_attr])
    if table.range_key_attr is None:
        items, key_value = table.items, partition
    else:
        items, key_value = table.items[partition], DynamoType(key[table.range_key_attr])
    if before is None:
        items.pop(key_value, None)
    else:
        items[key_value] = before


def replace(table: Any, counted: Item | None, item: Item, before: Item | None) -> None:
    """Count an item in the place of another, or put back what was there before when the collection is too large."""
    if count(table, counted, item) > ITEM_COLLECTION.value:
        count(table, item, before)
        put_back(table, item.attrs, before)
        raise ItemCollectionSizeLimitExceededException


def count(table: Any, before: Item | None, after: Item | None) -> int:
    """Return the new size of the collection, if the table has local indexes, else 0."""
    item = after or before
    if not table.indexes or item is None:
        return 0
    sizes: dict[str, int] = table.__dict__.setdefault("collection_sizes", {})
    partition = str(item.attrs[table.hash_key_attr].value)
    sizes[partition] = sizes.get(partition, 0) + _size(table, after) - _size(table, before)
    return sizes[partition]


def _size(table: Any, item: Item | None) -> int:
    if item is None:
        return 0
    entries = (_entry_size(table, index, item.attrs) for index in table.indexes)
    return item_size(item.attrs) + sum(entries)


def _entry_size(table: Any, index: Any, attributes: Mapping[str, Any]) -> int:
    keys = {key["AttributeName"] for key in [*index.schema, *table.schema]}
    if not keys <= set(attributes):
        return 0
    projection = index.projection or {}
    kept = keys | set(projection.get("NonKeyAttributes") or ())
    whole = projection.get("ProjectionType") == "ALL"
    return item_size({name: value for name, value in attributes.items() if whole or name in kept})
