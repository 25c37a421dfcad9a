"""Read one partition of a table for a query, and no table while it is being changed.

moto's query sorts every item of the whole table first, in a loop that fails when an item is written meanwhile: each
query of a ledger of ten thousand rows read all of them, and some answered HTTP 500.
"""

import contextlib
import inspect
import threading
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from personalize_local.aws.corrections import Correction

_query_as_moto = Table.query
_SIGNATURE = inspect.signature(_query_as_moto)
_asked = threading.local()  # which partition the query of this thread is about


def query(*arguments: Any, **named: Any) -> Any:
    """Query a table or an index; only what has the partition key is looked at, but for global indexes."""
    given = _SIGNATURE.bind(*arguments, **named).arguments
    table, conditions = given["self"], dict(given.get("hash_key_conditions") or ())
    key = None if _is_global(table, given.get("index_name")) else given["hash_key"] or conditions[table.hash_key_attr]
    with _about(table, key):
        return _query_as_moto(*arguments, **named)


def _is_global(table: Any, index_name: str | None) -> bool:
    return any(index.name == index_name for index in table.global_indexes or ())


@contextlib.contextmanager
def _about(table: Any, key: DynamoType | None) -> Iterator[None]:
    _asked.partition = None if key is None else (table, key)
    try:
        yield
    finally:
        _asked.partition = None


def all_items(table: Any) -> list[Item]:
    """Return the items of the partition that is asked for, or of all, in the order of their keys.

    `list` copies a dictionary in one step, whatever other threads write.
    """
    partition = getattr(_asked, "partition", None)
    if partition is not None and partition[0] is table:
        found = table.items.get(partition[1])
        found = [] if found is None else [found]
    else:
        found = list(table.items.values())
    items = [item for each in found for item in list(each.values())] if table.range_key_attr else found
    return sorted(items, key=_keys)


def _keys(item: Item) -> tuple[DynamoType, ...]:
    return (item.hash_key, item.range_key) if item.range_key else (item.hash_key,)


CORRECTIONS = (
    Correction(Table, "query", query, "it reads the whole table"),
    Correction(Table, "all_items", all_items, "it fails when somebody writes meanwhile"),
)
