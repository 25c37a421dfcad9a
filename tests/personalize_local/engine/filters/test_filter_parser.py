"""Filter expressions: the guide's examples (facts), and errors that point at the column (the wording is ours)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.filters.filter_parser import FilterError, check_filter, parse_filter
from personalize_local.engine.filters.filter_rules import CurrentItem, FilterRule, FilterTest, Placeholder
from personalize_local.engine.filters.filter_values import parse_values
from tests.personalize_local.engine.examples import INTERACTIONS, ITEMS, STRING_OR_NULL, USERS, avro, field

SCHEMAS = {
    "INTERACTIONS": parse_schema(INTERACTIONS),
    "ITEMS": parse_schema(ITEMS),
    "USERS": parse_schema(USERS),
    "ACTIONS": parse_schema(avro("Actions", field("ACTION_ID"), field("KIND", STRING_OR_NULL))),
}

EXAMPLES = [
    'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
    "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)",
    'EXCLUDE itemId WHERE INTERACTIONS.event_type in ("*")',
    'INCLUDE ItemID WHERE Items.GENRES IN ("a") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view","buy")',
    "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRES IN CurrentItem.GENRES",
    "INCLUDE ItemID WHERE Items.PRICE <= $MAX",
    "EXCLUDE ItemID WHERE Items.GENRES IN ($G) IF CurrentUser.AGE < 18",
    'INCLUDE ItemID WHERE Items.GENRES IN ("a") IF CurrentUser.CITY IN ("Rome") AND CurrentUser.AGE >= 18',
    'EXCLUDE ItemID WHERE Items.GENRES NOT IN ("a", "b") OR Items.PRICE = 5 AND Items.PRICE != -2.5',
    "INCLUDE UserID WHERE Users.AGE > 30",
    'INCLUDE ActionID WHERE Actions.KIND IN ("offer")',
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_accepts(text: str) -> None:
    check_filter(parse_filter(text), SCHEMAS)  # type: ignore[arg-type] # keys are dataset types


def test_says_what_the_expression_says() -> None:
    text = 'exclude itemid where items.genres in ($G, "x") and Items.PRICE >= 2 if currentuser.AGE = 3'
    genres = FilterTest("ITEMS", "genres", "IN", (Placeholder("G"), "x"), text.index("items.") + 1)
    price = FilterTest("ITEMS", "PRICE", ">=", (2.0,), text.index("Items.") + 1)
    age = FilterTest("USERS", "AGE", "=", (3.0,), text.index("AGE") + 1)
    assert parse_filter(text).rules == (
        FilterRule(include=False, target="ITEM", alternatives=((genres, price),), when=(age,)),
    )


def test_and_binds_closer_than_or_by_choice() -> None:
    (rule,) = parse_filter("INCLUDE ItemID WHERE Items.A = 1 OR Items.B = 2 AND Items.C = 3").rules
    assert [[test.field for test in tests] for tests in rule.alternatives] == [["A"], ["B", "C"]]


def test_placeholders_are_all_names_after_a_dollar() -> None:
    text = "INCLUDE ItemID WHERE Items.A IN ($A) | EXCLUDE ItemID WHERE Items.B < $b IF CurrentUser.C IN ($C)"
    assert parse_filter(text).placeholders == {"A", "b", "C"}


def test_current_item_is_an_operand() -> None:
    (rule,) = parse_filter("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE").rules
    assert next(rule.tests).operands == (CurrentItem("PRICE"),)


MALFORMED = {
    "": "has 1 to 2500 characters",
    "x" * 2501: "has 1 to 2500 characters",
    "KEEP ItemID WHERE Items.A = 1": "column 1: unexpected KEEP, expected INCLUDE or EXCLUDE",
    "INCLUDE ItemID": "column 15: it ends too early",
    "INCLUDE ItemID WHERE Things.A = 1": "column 22: unexpected Things.A, expected a dataset",
    'INCLUDE ItemID WHERE Items.A NOT ("x")': 'column 34: unexpected ("x"), expected IN',
    "INCLUDE ItemID WHERE Items.A IN (x)": 'column 34: unexpected x), expected "text"',
    'INCLUDE ItemID WHERE Items.A IN ("x)': 'column 34: unexpected "x)',
    'INCLUDE ItemID WHERE Items.A IN ("x"': "column 37: it ends too early",
    "INCLUDE ItemID WHERE Items.A ~ 1": "column 30: unexpected ~",
    "INCLUDE ItemID WHERE Items.A = 1 |": "column 35: it ends too early",
    "INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.B = 1 OR CurrentUser.C = 2": "column 55: unexpected OR",
    "INCLUDE ItemID WHERE Items.A = 1 IF Items.B = 1": "column 37: unexpected Items.B",
    "EXCLUDE ItemID WHERE Items.A NOT IN ($x)": "Placeholders are not allowed with NOT_IN operator",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_points_at_the_column(text: str) -> None:
    with pytest.raises(FilterError) as refusal:
        parse_filter(text)
    assert MALFORMED[text] in str(refusal.value)


WORDS = re.findall(
    r"\S+", 'INCLUDE EXCLUDE ItemID UserID WHERE Items Interactions . A IN NOT ( ) * "x" $P 1 - = < AND OR IF'
)
WORDS += ["CurrentUser", "CurrentItem", "|", ",", "é", '"', "\\", "\n"]


@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=14))
@settings(max_examples=300, deadline=None)
def test_whatever_an_expression_says_it_is_parsed_or_refused(words: list[str]) -> None:
    try:
        assert parse_filter(" ".join(words)).rules
    except FilterError as error:
        reason = str(error)
        assert "column" in reason


MISFITS = {
    "INCLUDE ItemID WHERE Items.COLOUR = 1": "column 22: the schema of the ITEMS dataset has no column COLOUR",
    "INCLUDE ActionID WHERE ActionInteractions.EVENT_TYPE IN (*)": "has no ACTION_INTERACTIONS dataset",
    "INCLUDE ItemID WHERE Items.AVAILABLE = 1": "AVAILABLE is boolean and cannot be tested",
    'INCLUDE ItemID WHERE Items.DESCRIPTION IN ("x")': "DESCRIPTION is textual and cannot be tested",
    "INCLUDE ItemID WHERE Items.GENRES > 3": "> is for numbers, but GENRES is of type string",
    'INCLUDE ItemID WHERE Items.PRICE IN ("x")': "'x' is not a value of PRICE, which is of type float",
    "INCLUDE ItemID WHERE Items.GENRES IN (5)": "5.0 is not a value of GENRES, which is of type string",
    "INCLUDE ItemID WHERE Items.GENRES IN (*)": "* is for EVENT_TYPE only",
    "INCLUDE ItemID WHERE Interactions.TIMESTAMP > 3": "only the column EVENT_TYPE of interactions can be tested",
    'INCLUDE ItemID WHERE Items.PRICE > 3 AND Interactions.EVENT_TYPE IN ("x")': "column 42: a rule can test",
    "INCLUDE UserID WHERE Items.PRICE > 3": "rules about UserID cannot test the ITEMS dataset",
    "INCLUDE ItemID WHERE Items.PRICE > 3 | INCLUDE UserID WHERE Users.AGE > 3": "about the same kind of id",
    "INCLUDE ItemID WHERE Items.PRICE > 3 IF CurrentUser.SIZE > 3": "USERS dataset has no column SIZE",
    "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.GENRES": "PRICE and GENRES are of different types",
}


@pytest.mark.parametrize("text", MISFITS)
def test_columns_must_be_in_the_schemas(text: str) -> None:
    with pytest.raises(FilterError) as refusal:
        check_filter(parse_filter(text), SCHEMAS)  # type: ignore[arg-type] # keys are dataset types
    assert MISFITS[text] in str(refusal.value)


def test_a_filter_uses_ten_fields_at_most() -> None:
    wide = parse_schema(avro("Items", field("ITEM_ID"), *[field(f"N{n}", "int") for n in range(11)]))
    text = "INCLUDE ItemID WHERE " + " AND ".join(f"Items.N{n} = 1" for n in range(11))
    with pytest.raises(FilterError, match="uses 11 fields; 10 are allowed"):
        check_filter(parse_filter(text), {"ITEMS": wide})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('"horror"', ("horror",)),
        ('"horror","comedy"', ("horror", "comedy")),
        ('"a, b" , "c"', ("a, b", "c")),
        ('"say \\"hi\\""', ('say "hi"',)),
        ("50", (50.0,)),
        ("-1.5,2", (-1.5, 2.0)),
    ],
)
def test_reads_filter_values(text: str, values: tuple[object, ...]) -> None:
    assert parse_values("P", text) == values


@pytest.mark.parametrize("text", ["horror", '"horror', '"a" "b"', "1;2", ""])
def test_refuses_filter_values(text: str) -> None:
    with pytest.raises(FilterError, match="filter parameter P"):
        parse_values("P", text)
