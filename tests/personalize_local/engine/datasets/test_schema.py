"""Facts: the developer guide's rules for schemas. Choices are named as such."""

import json
from typing import Any

import pytest

from personalize_local.engine.api import DatasetType
from personalize_local.engine.datasets.schema import (
    Field,
    SchemaError,
    check_schema_fits,
    check_schema_replacement,
    parse_schema,
)
from tests.personalize_local.engine.examples import INTERACTIONS, ITEMS, STRING_OR_NULL, USERS, avro, field

USER, ITEM, TIME = field("USER_ID"), field("ITEM_ID"), field("TIMESTAMP", "long")


def test_reads_types_nulls_and_flags_in_order() -> None:
    schema = parse_schema(
        avro("Items", ITEM, field("GENRES", ["string", "null"], categorical=True), field("P", "double"))
    )
    assert schema.columns == ["ITEM_ID", "GENRES", "P"]
    assert schema.field("GENRES") == Field("GENRES", "string", nullable=True, categorical=True)
    assert schema.field("P") == Field("P", "double")
    assert schema.field("P_") is None


# What general Avro parsers let through, and the service has no columns for.
REFUSED: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "not valid JSON"),
    "a list": ([], "JSON object of type 'record'"),
    "an enum": ({"type": "enum", "name": "Users", "symbols": []}, "type 'record'"),
    "no name": ({"type": "record", "fields": [USER]}, "must have a name"),
    "no fields": ({"type": "record", "name": "Users"}, "list of at least one field"),
    "empty fields": ({"type": "record", "name": "Users", "fields": []}, "list of at least one field"),
    "duplicate fields": ({"type": "record", "name": "Users", "fields": [USER, USER]}, "USER_ID and USER_ID"),
    "names alike but for underscores": (
        {"type": "record", "name": "Users", "fields": [USER, field("USERID")]},
        "USER_ID and USERID",
    ),
    "a dash": ({"type": "record", "name": "Users", "fields": [field("USER-ID")]}, "'USER-ID' is not a field name"),
    "two nulls": ({"type": "record", "name": "Users", "fields": [field("A", ["null", "null"])]}, "unsupported type"),
    "three types": (
        {"type": "record", "name": "Users", "fields": [field("A", ["null", "int", "string"])]},
        "unsupported type",
    ),
    "nesting": (
        {"type": "record", "name": "Users", "fields": [{"name": "A", "type": {"type": "record"}}]},
        "unsupported",
    ),
    "an array": (
        {"type": "record", "name": "Users", "fields": [{"name": "A", "type": {"type": "array"}}]},
        "unsupported",
    ),
    "bytes": ({"type": "record", "name": "Users", "fields": [field("A", "bytes")]}, 'unsupported type "bytes"'),
    "a field without type": ({"type": "record", "name": "Users", "fields": [{"name": "A"}]}, "unsupported type null"),
    "another version": ({"type": "record", "name": "Users", "fields": [USER], "version": ["1.0"]}, "must be text or a"),
    "a categorical number": (
        {"type": "record", "name": "Users", "fields": [field("A", "int", categorical=True)]},
        "A cannot be categorical",
    ),
    "a flag in quotes": (
        {"type": "record", "name": "Users", "fields": [{"name": "A", "type": "string", "categorical": "true"}]},
        "must be true or false",
    ),
    "two textual fields": (
        {"type": "record", "name": "Items", "fields": [field("A", textual=True), field("B", textual=True)]},
        "Only one field may be textual",
    ),
    "too many characters": (" " * 20_001, "20001 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    given, reason = REFUSED[case]
    with pytest.raises(SchemaError, match=reason):
        parse_schema(given if isinstance(given, str) else json.dumps(given))


@pytest.mark.parametrize(("text", "dataset_type"), [(INTERACTIONS, "INTERACTIONS"), (ITEMS, "ITEMS"), (USERS, "USERS")])
def test_accepts_the_usual_schemas(text: str, dataset_type: DatasetType) -> None:
    check_schema_fits(parse_schema(text), dataset_type)


UNFIT: list[tuple[DatasetType, str, str | None, str]] = [
    ("INTERACTIONS", avro("Items", USER, ITEM, TIME), None, "must be named Interactions"),
    ("INTERACTIONS", avro("Interactions", USER, ITEM), None, "lacks the required field TIMESTAMP"),
    ("INTERACTIONS", avro("Interactions", USER, ITEM, field("TIMESTAMP", "int")), None, "TIMESTAMP must have the type"),
    ("INTERACTIONS", avro("Interactions", field("USER_ID", STRING_OR_NULL), ITEM, TIME), None, "must not be nullable"),
    ("INTERACTIONS", avro("Interactions", USER, ITEM, TIME, field("EVENT_VALUE", "string")), None, "EVENT_VALUE must"),
    (
        "INTERACTIONS",
        avro("Interactions", USER, ITEM, TIME, field("EVENT_TYPE", categorical=True)),
        None,
        "EVENT_TYPE must not be categorical",
    ),
    (
        "INTERACTIONS",
        avro("Interactions", USER, ITEM, TIME, *[field(f"C{n}") for n in range(6)]),
        None,
        "may have 5 own fields, not 6",
    ),
    ("INTERACTIONS", avro("Interactions", USER, ITEM, TIME), "ECOMMERCE", "lacks the field EVENT_TYPE"),
    ("ITEMS", avro("Items", ITEM), None, "at least one metadata field"),
    ("ITEMS", avro("Items", ITEM, field("PRICE", "float")), "ECOMMERCE", "lacks the field CATEGORY_L1"),
    (
        "ITEMS",
        avro("Items", ITEM, field("GENRES"), field("CREATION_TIMESTAMP", "long")),
        "VIDEO_ON_DEMAND",
        "GENRES must be categorical",
    ),
    ("USERS", avro("Users", USER), None, "at least one metadata field"),
    ("USERS", avro("Users", USER, *[field(f"C{n}") for n in range(26)]), None, "may have 25 own fields, not 26"),
    ("ACTIONS", avro("Actions", field("ACTION_ID"), field("V")), "ECOMMERCE", "has no dataset of type ACTIONS"),
    ("ACTION_INTERACTIONS", avro("ActionInteractions", USER, TIME), None, "lacks the required field ACTION_ID"),
]


@pytest.mark.parametrize(("dataset_type", "text", "domain", "reason"), UNFIT, ids=[case[3] for case in UNFIT])
def test_refuses_what_does_not_fit_the_type(
    dataset_type: DatasetType, text: str, domain: str | None, reason: str
) -> None:
    with pytest.raises(SchemaError, match=reason):
        check_schema_fits(parse_schema(text), dataset_type, domain)


def test_replacement_may_add_nullable_fields() -> None:
    new = parse_schema(
        avro("Users", USER, field("AGE", ["int", "null"]), field("CITY", STRING_OR_NULL), field("X", STRING_OR_NULL))
    )
    check_schema_replacement(parse_schema(USERS), new, "USERS")


@pytest.mark.parametrize(
    ("new", "dataset_type", "reason"),
    [
        (avro("Users", USER, field("AGE", ["int", "null"])), "USERS", "must keep the field CITY"),
        (avro("Users", USER, field("AGE"), field("CITY", STRING_OR_NULL)), "USERS", "must keep the type int"),
        (
            avro("Users", USER, field("AGE", ["int", "null"]), field("CITY", STRING_OR_NULL), field("X")),
            "USERS",
            "X must be nullable",
        ),
        (USERS, "INTERACTIONS", "cannot be replaced"),
    ],
)
def test_replacement_may_not(new: str, dataset_type: DatasetType, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        check_schema_replacement(parse_schema(USERS), parse_schema(new), dataset_type)
