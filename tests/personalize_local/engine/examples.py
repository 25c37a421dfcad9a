"""Small datasets that the engine's tests share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from personalize_local.engine.api import DatasetRef, DatasetType

STRING_OR_NULL: Final = ["null", "string"]


def field(name: str, kind: str | list[str] = "string", **flags: bool) -> dict[str, Any]:
    return {"name": name, "type": kind, **flags}


def avro(name: str, *fields: dict[str, Any]) -> str:
    namespace = "com.amazonaws.personalize.schema"
    record = {"type": "record", "name": name, "namespace": namespace, "fields": list(fields), "version": "1.0"}
    return json.dumps(record)


INTERACTIONS: Final = avro(
    "Interactions",
    field("USER_ID"),
    field("ITEM_ID"),
    field("EVENT_TYPE"),
    field("TIMESTAMP", "long"),
    field("EVENT_VALUE", ["float", "null"]),
)
ITEMS: Final = avro(
    "Items",
    field("ITEM_ID"),
    field("GENRES", STRING_OR_NULL, categorical=True),
    field("PRICE", ["float", "null"]),
    field("TITLE", STRING_OR_NULL),
    field("DESCRIPTION", STRING_OR_NULL, textual=True),
    field("AVAILABLE", ["boolean", "null"]),
)
USERS: Final = avro("Users", field("USER_ID"), field("AGE", ["int", "null"]), field("CITY", STRING_OR_NULL))

SCHEMAS: Final[dict[DatasetType, str]] = {"INTERACTIONS": INTERACTIONS, "ITEMS": ITEMS, "USERS": USERS}
INTERACTIONS_HEADER: Final = "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE"
ITEMS_HEADER: Final = "ITEM_ID,GENRES,PRICE,TITLE,DESCRIPTION,AVAILABLE"


def ref(dataset_type: DatasetType, group: str = "films", schema: str | None = None) -> DatasetRef:
    return DatasetRef(f"{group}/{dataset_type}", dataset_type, schema or SCHEMAS[dataset_type])


def interactions(count: int = 1000, first: int = 0) -> list[str]:
    """Return different rows of `count` interactions of 50 users with 20 items."""
    return [f"u{n % 50},i{n % 20},watch,{1_600_000_000 + n},1.5" for n in range(first, first + count)]


def write(file: Path, header: str, rows: Sequence[str]) -> Path:
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return file
