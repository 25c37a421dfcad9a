"""Two schemas are the same when they declare the same columns, whatever else their texts say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.personalize.avro_schema import columns_declared, same_columns

FIELDS: list[dict[str, Any]] = [
    {"name": "ITEM_ID", "type": "string"},
    {"name": "GENRES", "type": ["null", "string"], "categorical": True},
    {"name": "PRICE", "type": ["null", "float"]},
]


def text(fields: list[dict[str, Any]], **more: Any) -> str:
    return json.dumps({"type": "record", "name": "Items", "fields": fields, "version": "1.0", **more})


@pytest.mark.parametrize(
    "other",
    [
        json.dumps(json.loads(text(FIELDS)), indent=4),
        text(FIELDS[::-1]),
        text(FIELDS, name="MyItems", namespace="com.example", doc="made by hand"),
        text([*FIELDS[:2], {"name": "PRICE", "type": ["float", "null"], "default": None}]),
        text([{**FIELDS[0], "categorical": False}, *FIELDS[1:]]),
        text([{**FIELDS[0], "type": ["string"]}, *FIELDS[1:]]),
    ],
    ids=["white space", "order of fields", "names", "order of a union", "a flag that is off", "a union of one"],
)
def test_the_same_columns_in_other_words(other: str) -> None:
    assert same_columns(text(FIELDS), other)
    assert same_columns(other, text(FIELDS))


@pytest.mark.parametrize(
    "other",
    [
        text(FIELDS[:2]),
        text([*FIELDS[:2], {"name": "PRICE", "type": "float"}]),
        text([FIELDS[0], {"name": "GENRES", "type": ["null", "string"]}, FIELDS[2]]),
        text([{**FIELDS[0], "type": "int"}, *FIELDS[1:]]),
        text([{**FIELDS[0], "name": "item_id"}, *FIELDS[1:]]),
        "no JSON",
        "[]",
    ],
)
def test_other_columns(other: str) -> None:
    assert not same_columns(text(FIELDS), other)


def test_what_is_no_record_equals_itself_only() -> None:
    assert same_columns("no JSON", "no JSON")
    assert columns_declared({"fields": ["ITEM_ID"]}) is None


def test_columns_are_written_as_a_request_writes_them() -> None:
    assert columns_declared(text(FIELDS)) == {
        "ITEM_ID": "string",
        "GENRES": {"type": ["null", "string"], "categorical": True},
        "PRICE": ["null", "float"],
    }


@given(st.permutations(FIELDS))
def test_no_order_of_fields_makes_another_schema(fields: list[dict[str, Any]]) -> None:
    assert same_columns(text(FIELDS), text(fields))
