"""Read the Avro text of CreateSchema strictly, and check the rules a schema must meet for its dataset type.

General Avro parsers accept what the service has no columns for (nested records, arrays, names with dashes, duplicate
fields), so the text is read here. Source of the rules: the developer guide, "Datasets and schemas".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from personalize_local.engine.api import DatasetType, EngineError
from personalize_local.engine.datasets.schema_rules import RULES

_MAX_CHARACTERS: Final = 20_000
_TYPES: Final = frozenset({"string", "int", "long", "float", "double", "boolean"})
_NUMBERS: Final = frozenset({"int", "long", "float", "double"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLAGS: Final = ("categorical", "textual", "itemName")


class SchemaError(EngineError):
    """The schema cannot be used."""


@dataclass(frozen=True)
class Field:
    """One column: its Avro type without null, and the flags of its meaning."""

    name: str
    type: str  # string, int, long, float, double or boolean
    nullable: bool = False
    categorical: bool = False
    textual: bool = False
    item_name: bool = False

    @property
    def numeric(self) -> bool:
        """Whether values can be compared by size."""
        return self.type in _NUMBERS


@dataclass(frozen=True)
class Schema:
    """The columns of a dataset, in the order of the Avro text."""

    name: str
    fields: tuple[Field, ...]

    @property
    def columns(self) -> list[str]:
        """Return the column names in schema order."""
        return [field.name for field in self.fields]

    def field(self, name: str) -> Field | None:
        """Return the field called `name`, if there is one."""
        return next((field for field in self.fields if field.name == name), None)


@lru_cache(maxsize=256)
def parse_schema(avro_text: str) -> Schema:
    """Return the schema the text describes, or say in a SchemaError what is wrong with it."""
    if len(avro_text) > _MAX_CHARACTERS:
        raise SchemaError(f"The schema has {len(avro_text)} characters; at most {_MAX_CHARACTERS} are allowed.")
    record = _record(avro_text)
    listed = record.get("fields")
    if not isinstance(listed, list) or not listed:
        raise SchemaError("The schema must have a list of at least one field in 'fields'.")
    fields = tuple(_field(entry) for entry in listed)
    _check_unique([field.name for field in fields])
    _check_textual(fields)
    return Schema(record["name"], fields)


def _record(avro_text: str) -> dict[str, Any]:
    try:
        record = json.loads(avro_text)
    except ValueError as error:
        raise SchemaError(f"The schema is not valid JSON: {error}.") from error
    if not isinstance(record, dict) or record.get("type") != "record":
        raise SchemaError("The schema must be a JSON object of type 'record'.")
    if not isinstance(record.get("name"), str) or not _NAME.fullmatch(record["name"]):
        raise SchemaError("The schema must have a name of letters, digits and underscores.")
    if not isinstance(record.get("namespace", ""), str):
        raise SchemaError("The schema's namespace must be a string.")
    version = record.get("version", "1.0")  # the guide writes "1.0"; AWS has accepted 1 and "1.1" as well
    if isinstance(version, bool) or not isinstance(version, str | int | float):
        raise SchemaError(f"The schema's version must be text or a number, not {json.dumps(version)}.")
    return record


def _field(entry: object) -> Field:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise SchemaError(f"Each field must be an object with a name, not {json.dumps(entry)}.")
    name = entry["name"]
    if not _NAME.fullmatch(name):
        raise SchemaError(f"'{name}' is not a field name: only letters, digits and underscores are allowed.")
    kind, nullable = _type(name, entry.get("type"))
    flags = {flag: entry.get(flag, False) for flag in _FLAGS}
    for flag, value in flags.items():
        if not isinstance(value, bool):
            raise SchemaError(f"'{flag}' of field {name} must be true or false.")
        if value and kind != "string":
            raise SchemaError(f"Field {name} cannot be {flag}: its type is {kind}, not string.")
    return Field(name, kind, nullable, flags["categorical"], flags["textual"], flags["itemName"])


def _type(name: str, declared: object) -> tuple[str, bool]:
    union = declared if isinstance(declared, list) else [declared]
    kinds = [kind for kind in union if kind != "null"]
    if len(kinds) == 1 and isinstance(kinds[0], str) and kinds[0] in _TYPES and union.count("null") <= 1:
        return kinds[0], "null" in union
    raise SchemaError(
        f"Field {name} has the unsupported type {json.dumps(declared)}: use string, int, long, float, double or"
        " boolean, or a list of one of these and null."
    )


def _plain(name: str) -> str:
    return name.replace("_", "").upper()


def _check_unique(names: list[str]) -> None:
    """Refuse names that differ in case or underscores only: the service cannot tell them apart."""
    seen: dict[str, str] = {}
    for name in names:
        key = _plain(name)
        if key in seen:
            raise SchemaError(f"Field names must be unique without underscores: {seen[key]} and {name} are not.")
        seen[key] = name


def _check_textual(fields: tuple[Field, ...]) -> None:
    for flag, chosen in (
        ("textual", [field.name for field in fields if field.textual]),
        ("itemName", [field.name for field in fields if field.item_name]),
    ):
        if len(chosen) > 1:
            raise SchemaError(f"Only one field may be {flag}, not {', '.join(chosen)}.")


def dataset_type_of(schema: Schema) -> DatasetType | None:
    """Return the dataset type a schema is named after, in any case: AWS's own configurations have `interactions`."""
    return next((each for each, rules in RULES.items() if _plain(rules.record) == _plain(schema.name)), None)


def check_schema_fits(schema: Schema, dataset_type: DatasetType, domain: str | None = None) -> None:
    """Raise a SchemaError unless a dataset of this type (in a group of this domain) can have the schema."""
    rules = RULES[dataset_type]
    if dataset_type_of(schema) != dataset_type:
        raise SchemaError(f"The schema of a dataset of type {dataset_type} must be named {rules.record}.")
    for name, kind in rules.required.items():
        _check_required(schema, name, kind)
    if domain is not None:
        _check_domain(schema, dataset_type, rules.domains.get(domain))
    for field in schema.fields:
        _check_reserved(field, rules.reserved)
    _check_own_columns(schema, dataset_type)


def _check_required(schema: Schema, name: str, kind: str) -> None:
    field = schema.field(name)
    if field is None:
        raise SchemaError(f"The schema lacks the required field {name}.")
    if field.type != kind or field.nullable:
        raise SchemaError(f"The required field {name} must have the type {kind} and must not be nullable.")


def _check_domain(schema: Schema, dataset_type: DatasetType, required: Mapping[str, bool] | None) -> None:
    if required is None:
        raise SchemaError(f"A domain dataset group has no dataset of type {dataset_type}.")
    for name, categorical in required.items():
        field = schema.field(name)
        if field is None:
            raise SchemaError(f"The schema lacks the field {name}, required in this domain.")
        if categorical and not field.categorical:
            raise SchemaError(f"The field {name} must be categorical in this domain.")


def _check_reserved(field: Field, reserved: Mapping[str, frozenset[str]]) -> None:
    allowed = reserved.get(field.name)
    if allowed is None:
        return
    if field.type not in allowed:
        raise SchemaError(f"The reserved field {field.name} must have the type {' or '.join(sorted(allowed))}.")
    if field.categorical and field.name in {"EVENT_TYPE", "EVENT_VALUE", "IMPRESSION"}:
        raise SchemaError(f"The reserved field {field.name} must not be categorical.")


def _check_own_columns(schema: Schema, dataset_type: DatasetType) -> None:
    rules = RULES[dataset_type]
    own = [name for name in schema.columns if name not in rules.required and name not in rules.reserved]
    if len(own) > rules.own_columns:
        raise SchemaError(f"A dataset of type {dataset_type} may have {rules.own_columns} own fields, not {len(own)}.")
    if rules.needs_metadata and len(schema.fields) == len(rules.required):
        raise SchemaError(f"The schema of a dataset of type {dataset_type} needs at least one metadata field.")


def check_schema_replacement(old: Schema, new: Schema, dataset_type: DatasetType) -> None:
    """Raise a SchemaError unless UpdateDataset may put `new` in the place of `old`."""
    if dataset_type not in {"ITEMS", "USERS"}:
        raise SchemaError(f"The schema of a dataset of type {dataset_type} cannot be replaced.")
    for field in old.fields:
        kept = new.field(field.name)
        if kept is None:
            raise SchemaError(f"The new schema must keep the field {field.name}.")
        if kept.type != field.type:
            raise SchemaError(f"The new schema must keep the type {field.type} of the field {field.name}.")
    for field in new.fields:
        if old.field(field.name) is None and not field.nullable:
            raise SchemaError(f"The new field {field.name} must be nullable: the rows imported so far have no value.")
