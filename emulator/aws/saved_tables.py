"""Keeping DynamoDB items across restarts: a file per table, in DynamoDB's own JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def save_tables(directory: Path, dynamodb: Any) -> None:
    """Write the items of every table below `directory`."""
    folder = directory / "dynamodb"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _tables(dynamodb):
        pages = dynamodb.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        (folder / f"{name}.json").write_text(json.dumps(items, default=_refuse), encoding="utf-8")


def restore_tables(directory: Path, dynamodb: Any) -> int:
    """Put the saved items of those tables back that are there; return how many items."""
    count = 0
    for name in _tables(dynamodb):
        file = directory / "dynamodb" / f"{name}.json"
        for item in json.loads(file.read_text(encoding="utf-8")) if file.exists() else ():
            dynamodb.put_item(TableName=name, Item=item)
            count += 1
    return count


def _tables(dynamodb: Any) -> Iterator[str]:
    for page in dynamodb.get_paginator("list_tables").paginate():
        yield from page["TableNames"]


def _refuse(value: object) -> str:
    raise TypeError(f"the local cloud does not keep binary attributes: {value!r}")
