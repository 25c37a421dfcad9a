"""Turn DynamoDB items into rows and back, in DynamoDB's own JSON."""

import json
from collections.abc import Iterator
from typing import Any, Final

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from personalize_local.state.change_watch import ChangedNames, item_key
from personalize_local.state.database import Changes, Database, Row, RowKey
from personalize_local.state.documents import dumps, loads

ITEM: Final = "item"


def item_changes(changed: ChangedNames, database: Database) -> Changes:
    """Return the rows of the changed items as they are, and what goes; hold the gate."""
    changes: dict[RowKey, Row | None] = {}
    for account_id, region, table in changed.tables:
        if table not in dynamodb_backends[account_id][region].tables:
            changes |= dict.fromkeys(database.of(ITEM, json.dumps([account_id, region, table])))
    for account_id, region, table, key in changed.items:
        row_key = RowKey(ITEM, json.dumps([account_id, region, table]), key)
        backend = dynamodb_backends[account_id][region]
        if table in backend.tables:
            item = backend.get_item(table, loads(key))
            changes[row_key] = None if item is None else Row(dumps(_plain(item.attrs)))
    return changes


def _plain(value: Any) -> Any:
    """Return a value in DynamoDB's JSON; moto's own way there encodes bytes on some levels and not on others."""
    if isinstance(value, DynamoType):
        return {value.type: _plain(value.value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def present_items() -> ChangedNames:
    """Return the names of all items that are there."""
    changed = ChangedNames()
    for account_id, region, backend in _backends():
        for name, table in backend.tables.items():
            for item in table.all_items():
                changed.items.add((account_id, region, name, item_key(table, _plain(item.attrs))))
    return changed


def _backends() -> Iterator[tuple[str, str, Any]]:
    return iter(list(dynamodb_backends.iter_backends()))


def check_item(owner: list[str], document: dict[str, dict[str, Any]]) -> None:
    """Raise unless a row is as `restore_items` needs it."""
    _account_id, _region, _table = owner
    for value in document.values():
        DynamoType(value)


def restore_items(database: Database) -> None:
    """Put the items of all tables back that are there; those of others stay where they are."""
    for row_key, row in database.all(ITEM):
        account_id, region, name = json.loads(row_key.owner)
        table = dynamodb_backends[account_id][region].tables.get(name)
        if table is not None:
            table.put_item(loads(row.document))
