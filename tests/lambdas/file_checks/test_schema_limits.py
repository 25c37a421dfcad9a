"""Columns that are refused in Plan are those that the local service refuses, which reads the same guide on its own."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.bucket_layout import DATASETS
from lambdas.file_checks.schema_limits import schema_faults
from personalize_local.engine.datasets.schema import SchemaError, check_schema_fits, parse_schema
from personalize_local.engine.datasets.schema_rules import RULES

NAMES = [
    "USER_ID", "ITEM_ID", "ACTION_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID",
    "CREATION_TIMESTAMP", "VALUE", "REPEAT_FREQUENCY", "GENRE_1", "GENRE1", "genre_1", "AGE", "PRICE", "1ST", "A-B",
]  # fmt: skip
TYPES: list[Any] = ["string", "int", "long", "float", "double", "boolean", "text", ["null", "string"], ["long", "null"]]
FLAGS: list[dict[str, bool]] = [{}, {}, {}, {"categorical": True}, {"textual": True}, {"itemName": True}]
INTERACTIONS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}


def service(dataset: str, columns: dict[str, Any]) -> str:
    """Return why the local service refuses the columns; nothing when it takes them."""
    kind: Any = dataset.upper()
    fields = [
        {"name": name, **(declared if isinstance(declared, dict) else {"type": declared})}
        for name, declared in columns.items()
    ]
    schema = {"type": "record", "name": RULES[kind].record, "namespace": "n", "fields": fields, "version": "1.0"}
    try:
        check_schema_fits(parse_schema(json.dumps(schema)), kind)
    except SchemaError as error:
        return str(error)
    return ""


@st.composite
def datasets(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw columns that are good but for a few things."""
    dataset = draw(st.sampled_from(DATASETS))
    good: dict[str, Any] = dict(RULES[dataset.upper()].required)  # type: ignore[index]  # the same five words
    others = st.builds(lambda kind, flags: {"type": kind, **flags}, st.sampled_from(TYPES), st.sampled_from(FLAGS))
    own = draw(st.dictionaries(st.sampled_from(NAMES), others, max_size=3))
    many = {
        f"OWN{number}": "string" for number in range(draw(st.sampled_from([0, 0, 0, 4, 5, 6, 10, 25, 26, 100, 101])))
    }
    missing = draw(st.sampled_from([None, None, *good]))
    return dataset, {name: kind for name, kind in {**good, **many, **own}.items() if name != missing}


@settings(max_examples=400, deadline=None)
@given(datasets())
@example(("interactions", {"USER_ID": "string", "ITEM_ID": "string"}))
@example(("items", {"ITEM_ID": "string", "GENRE_1": "string", "GENRE1": "string"}))
def test_both_refuse_the_same_columns(drawn: tuple[str, dict[str, Any]]) -> None:
    dataset, columns = drawn
    faults = list(schema_faults(dataset, columns))
    assert bool(faults) == bool(service(dataset, columns)), (faults, service(dataset, columns))


@pytest.mark.parametrize(
    ("dataset", "columns", "column", "advice"),
    [
        ("interactions", {"USER_ID": "string", "TIMESTAMP": "long"}, "", "a column ITEM_ID of type 'string'"),
        ("interactions", INTERACTIONS | {f"C{n}": "string" for n in range(6)}, "", "at most 5 columns"),
        ("interactions", INTERACTIONS | {"EVENT_VALUE": "double"}, "EVENT_VALUE", "reserves EVENT_VALUE"),
        ("items", {"ITEM_ID": "string", "GENRE_1": "string", "GENRE1": "string"}, "GENRE1", "tell it from GENRE_1"),
        ("items", {"ITEM_ID": ["null", "string"], "A": "string"}, "ITEM_ID", "never null"),
        ("items", {"ITEM_ID": "string"}, "", "at least one column beside ITEM_ID"),
    ],
)
def test_a_fault_names_the_column_and_what_to_do(dataset: str, columns: Any, column: str, advice: str) -> None:
    ((place, told),) = schema_faults(dataset, columns)
    assert place == column
    assert advice in told
