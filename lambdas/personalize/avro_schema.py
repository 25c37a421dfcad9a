"""Write Avro schemas, and compare them as Amazon Personalize reads them: by the columns they declare."""

import json
from collections.abc import Mapping
from typing import Any, Final

_NAMELESS: Final = ("name", "type", "doc", "default")
_REPLACEABLE: Final = ("ITEMS", "USERS")


def same_columns(one: str, other: str) -> bool:
    """Return whether two schemas declare the same columns.

    Names of the record, comments, white space and the order of fields say nothing about the data: a file's header
    orders its columns. A text that is no Avro record equals only itself.
    """
    columns, others = _columns(one), _columns(other)
    return one == other if columns is None or others is None else columns == others


def replacement_fault(old: str, new: str, dataset_type: str) -> str:
    """Return why a dataset's schema cannot be replaced by another ("Replacing a dataset's schema"), or nothing."""
    if dataset_type not in _REPLACEABLE:
        return f"Amazon Personalize cannot replace the schema of {dataset_type}"
    before, after = _columns(old) or {}, _columns(new) or {}
    if lost := [name for name in before if after.get(name) != before[name]]:
        return f"it would lose or change the columns {', '.join(lost)}"
    strict = [name for name in after if name not in before and '"null"' not in after[name][0]]
    return f"new columns take null as well, and these do not: {', '.join(strict)}" if strict else ""


def columns_declared(schema: Any) -> dict[str, Any] | None:
    """Return the columns of an Avro record as a request writes them: name to type, or to a field's attributes.

    `schema` is the document or its text; None when it is no record with named fields.
    """
    record = _document(schema)
    fields = record.get("fields") if isinstance(record, Mapping) else None
    if not isinstance(fields, list) or not all(isinstance(field, Mapping) and "name" in field for field in fields):
        return None
    return {str(field["name"]): _declared(field) for field in fields}


def _columns(text: str) -> dict[str, Any] | None:
    record = _document(text)
    if columns_declared(record) is None:
        return None
    return {str(field["name"]): _meaning(field) for field in record["fields"]}


def _document(schema: Any) -> Any:
    try:
        return json.loads(schema) if isinstance(schema, str) else schema
    except ValueError:
        return None


def _declared(field: Mapping[str, Any]) -> Any:
    attributes = {key: value for key, value in field.items() if key != "name"}
    return attributes["type"] if set(attributes) == {"type"} else attributes


def _meaning(field: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return a field's types, whatever their order, and the attributes that are on."""
    declared = field.get("type")
    types = declared if isinstance(declared, list) else [declared]
    attributes = {key: value for key, value in field.items() if key not in _NAMELESS and value is not False}
    return sorted(json.dumps(one, sort_keys=True) for one in types), attributes


def avro_record(name: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Avro document that declares a dataset's columns, given as type or as attributes of a field."""
    return {
        "type": "record",
        "name": name.title().replace("_", ""),
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": column, **(kind if isinstance(kind, dict) else {"type": kind})} for column, kind in columns.items()
        ],
        "version": "1.0",
    }
