"""What filters let through: the guide's semantics (facts), and choices where a test's name says so."""

from pathlib import Path

import polars as pl
import pytest

from personalize_local.engine.api import FilterUse
from personalize_local.engine.datasets.log_files import LogFile, dtypes
from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.filters.filter_masks import bind_filter
from personalize_local.engine.filters.filter_rules import FilterError
from tests.personalize_local.engine.examples import INTERACTIONS, ITEMS, USERS

CATALOGUE = pl.Series(["a", "b", "c", "d", "unknown"])
ITEM_ROWS = [
    {"ITEM_ID": "a", "GENRES": "horror|comedy", "PRICE": 5.0, "TITLE": "A|B"},
    {"ITEM_ID": "b", "GENRES": "comedy", "PRICE": 10.0},
    {"ITEM_ID": "c", "GENRES": "Horror", "PRICE": 20.0},
    {"ITEM_ID": "d", "GENRES": None, "PRICE": None},
]
USER_ROWS = [{"USER_ID": "young", "AGE": 12}, {"USER_ID": "old", "AGE": 70}, {"USER_ID": "ageless"}]
EVENTS = [
    {"USER_ID": "young", "ITEM_ID": "a", "EVENT_TYPE": "Watch", "TIMESTAMP": 1},
    {"USER_ID": "young", "ITEM_ID": "b", "EVENT_TYPE": "buy", "TIMESTAMP": 2},
    {"USER_ID": "old", "ITEM_ID": "c", "EVENT_TYPE": "watch", "TIMESTAMP": 3},
    *[{"USER_ID": "busy", "ITEM_ID": f"x{n}", "EVENT_TYPE": "watch", "TIMESTAMP": n} for n in range(100, 200)],
    {"USER_ID": "busy", "ITEM_ID": "a", "EVENT_TYPE": "watch", "TIMESTAMP": 99},
    {"USER_ID": "busy", "ITEM_ID": "b", "EVENT_TYPE": "buy", "TIMESTAMP": 1},
]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    schemas, parts = {}, {}
    for kind, text, rows in (
        ("ITEMS", ITEMS, ITEM_ROWS),
        ("USERS", USERS, USER_ROWS),
        ("INTERACTIONS", INTERACTIONS, EVENTS),
    ):
        schema = parse_schema(text)
        path = tmp_path / f"{kind}.parquet"
        pl.DataFrame(rows, schema=dtypes(schema)).write_parquet(path)
        schemas[kind], parts[kind] = schema, [LogFile(path, "BULK", len(rows), unique=True)]
    return Snapshot(schemas, parts)  # type: ignore[arg-type] # the keys are dataset types


def passing(snapshot: Snapshot, text: str, user: str | None = None, item: str | None = None, **values: str) -> str:
    mask = bind_filter(FilterUse(text), snapshot).for_query(user, item, values).mask(CATALOGUE)
    return "".join(CATALOGUE.filter(pl.Series(mask)).str.slice(0, 1))


CASES = [
    ('INCLUDE ItemID WHERE Items.GENRES IN ("comedy")', "ab"),
    ('INCLUDE ItemID WHERE Items.GENRES IN ("comedy", "Horror")', "abc"),
    ('EXCLUDE ItemID WHERE Items.GENRES IN ("comedy")', "cdu"),
    ('INCLUDE ItemID WHERE Items.TITLE IN ("A")', ""),  # only categorical values are lists
    ('INCLUDE ItemID WHERE Items.TITLE IN ("A|B")', "a"),
    ("INCLUDE ItemID WHERE Items.PRICE IN (5, 20)", "ac"),
    ("INCLUDE ItemID WHERE Items.PRICE < 20", "ab"),
    ("INCLUDE ItemID WHERE Items.PRICE >= 10", "bc"),
    ("INCLUDE ItemID WHERE Items.PRICE != 10", "ac"),
    ('INCLUDE ItemID WHERE Items.GENRES IN ("comedy") AND Items.PRICE > 5', "b"),
    ('INCLUDE ItemID WHERE Items.GENRES IN ("Horror") OR Items.GENRES IN ("comedy") AND Items.PRICE > 5', "bc"),
    (
        "EXCLUDE ItemID WHERE Items.PRICE = 5 | INCLUDE ItemID WHERE Items.PRICE IN (5, 10, 7)",
        "b",
    ),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_items(snapshot: Snapshot, text: str, expected: str) -> None:
    assert passing(snapshot, text) == expected
    assert not bind_filter(FilterUse(text), snapshot).per_user


def test_a_missing_value_passes_no_test_by_choice(snapshot: Snapshot) -> None:
    assert passing(snapshot, 'INCLUDE ItemID WHERE Items.GENRES NOT IN ("comedy")') == "c"


EVENT_CASES = [
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")', "young", "bcdu"),
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("WATCH")', "young", "bcdu"),
    ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "young", "cdu"),
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', "young", "cdu"),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch", "buy")', "young", "ab"),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("watch")', "young", "b"),
    ("INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "stranger", ""),
    ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "stranger", "abcdu"),
    ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", None, "abcdu"),
]


@pytest.mark.parametrize(("text", "user", "expected"), EVENT_CASES)
def test_items_the_user_met(snapshot: Snapshot, text: str, user: str | None, expected: str) -> None:
    assert passing(snapshot, text, user) == expected
    assert bind_filter(FilterUse(text), snapshot).per_user


def test_only_the_last_hundred_events_of_a_type_count(snapshot: Snapshot) -> None:
    assert passing(snapshot, "INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "busy") == "b"


USER_CASES = [("young", "a"), ("old", "abcdu"), ("ageless", "abcdu"), ("stranger", "abcdu")]


@pytest.mark.parametrize(("user", "expected"), USER_CASES)
def test_a_rule_counts_only_for_users_who_pass_its_if(snapshot: Snapshot, user: str, expected: str) -> None:
    assert passing(snapshot, "INCLUDE ItemID WHERE Items.PRICE < 10 IF CurrentUser.AGE < 18", user) == expected


def test_current_item(snapshot: Snapshot) -> None:
    cheaper = "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE"
    alike = "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES"
    assert [passing(snapshot, cheaper, item=item) for item in ("b", "c", "d", "unknown")] == ["a", "ab", "", ""]
    assert [passing(snapshot, alike, item=item) for item in ("a", "b", "c")] == ["ab", "ab", "c"]


def test_placeholders(snapshot: Snapshot) -> None:
    assert passing(snapshot, "INCLUDE ItemID WHERE Items.GENRES IN ($G)", G='"comedy","Horror"') == "abc"
    assert passing(snapshot, "INCLUDE ItemID WHERE Items.PRICE <= $MAX", MAX="10") == "ab"
    assert passing(snapshot, "INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($E)", "young", E='"BUY"') == "b"


def test_include_needs_all_values_and_exclude_does_not(snapshot: Snapshot) -> None:
    with pytest.raises(FilterError, match="parameters MAX of an INCLUDE rule must have values"):
        passing(snapshot, "INCLUDE ItemID WHERE Items.PRICE <= $MAX")
    assert passing(snapshot, "EXCLUDE ItemID WHERE Items.PRICE <= $MAX") == "abcdu"


def test_unreadable_values_are_told_when_the_question_is_asked(snapshot: Snapshot) -> None:
    bound = bind_filter(FilterUse("EXCLUDE ItemID WHERE Items.GENRES IN ($G)"), snapshot)
    with pytest.raises(FilterError, match="filter parameter G must be text in double quotes"):
        bound.for_query(None, None, {"G": "comedy"})


def test_values_must_be_of_the_columns_type(snapshot: Snapshot) -> None:
    with pytest.raises(FilterError, match="'ten' is no value of PRICE"):
        passing(snapshot, "INCLUDE ItemID WHERE Items.PRICE <= $MAX", MAX='"ten"')


def test_segments(snapshot: Snapshot) -> None:
    users = pl.Series(["young", "old", "ageless", "busy"])
    adults = bind_filter(FilterUse("INCLUDE UserID WHERE Users.AGE >= $MIN"), snapshot)
    buyers = bind_filter(FilterUse('EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("buy")'), snapshot)
    assert adults.user_mask(users, {"MIN": "18"}).tolist() == [False, True, False, False]
    assert buyers.user_mask(users, {}).tolist() == [False, True, True, False]


def test_masks_follow_the_ids_they_are_asked_about(snapshot: Snapshot) -> None:
    bound = bind_filter(FilterUse('INCLUDE ItemID WHERE Items.GENRES IN ("comedy")'), snapshot).for_query(
        None, None, {}
    )
    assert bound.mask(pl.Series(["d", "b"])).tolist() == [False, True]
    assert bound.mask(pl.Series(["b", "d", "a"])).tolist() == [True, False, True]
    assert bound.mask(pl.Series([], dtype=pl.String)).tolist() == []


def test_without_a_dataset_nothing_passes_its_tests(snapshot: Snapshot) -> None:
    bare = Snapshot(snapshot.schemas, {})
    assert passing(bare, "INCLUDE ItemID WHERE Items.PRICE > 1", "young") == ""
    assert passing(bare, "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "young") == "abcdu"
    assert passing(bare, "EXCLUDE ItemID WHERE Items.PRICE > 1 IF CurrentUser.AGE > 1", "young") == "abcdu"


def test_a_column_that_is_not_there_any_more_is_told(snapshot: Snapshot) -> None:
    with pytest.raises(FilterError, match="schema of the ITEMS dataset has no column COLOUR"):
        passing(snapshot, "INCLUDE ItemID WHERE Items.COLOUR > 1")


def test_includes_are_united(snapshot: Snapshot) -> None:
    united = 'INCLUDE ItemID WHERE Items.PRICE = 5 | INCLUDE ItemID WHERE Items.GENRES IN ("Horror")'
    assert passing(snapshot, united) == "ac"
