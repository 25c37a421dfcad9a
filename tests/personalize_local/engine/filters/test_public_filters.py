"""Filters as the guide and public programs write them are accepted or refused as the authority of each says."""

from collections import Counter

import pytest

from personalize_local.engine.api import DatasetType
from personalize_local.engine.datasets.schema import Schema, parse_schema
from personalize_local.engine.filters.filter_parser import FilterError, check_filter, parse_filter
from tests.personalize_local.engine.examples import INTERACTIONS, STRING_OR_NULL, USERS, avro, field
from tests.personalize_local.engine.filters.public_filters import PUBLIC_FILTERS, PublicFilter

MANY = 60
ACTIONS = avro("Actions", field("ACTION_ID"), field("VALUE", "long"), field("CLUB", STRING_OR_NULL))
CALLS = avro("ActionInteractions", *map(field, ("USER_ID", "ACTION_ID", "EVENT_TYPE")), field("TIMESTAMP", "long"))
ITEMS = avro(
    "Items",
    field("ITEM_ID"),
    field("GENRES", STRING_OR_NULL, categorical=True),
    field("PRICE", ["float", "null"]),
    field("TITLE", STRING_OR_NULL),
    field("DESCRIPTION", STRING_OR_NULL, textual=True),
    field("AVAILABLE", ["boolean", "null"]),
    field("CREATION_TIMESTAMP", "long"),
)
SCHEMAS: dict[DatasetType, Schema] = {
    "INTERACTIONS": parse_schema(INTERACTIONS),
    "ITEMS": parse_schema(ITEMS),
    "USERS": parse_schema(USERS),
    "ACTIONS": parse_schema(ACTIONS),
    "ACTION_INTERACTIONS": parse_schema(CALLS),
}


@pytest.mark.parametrize("shape", PUBLIC_FILTERS, ids=lambda shape: shape.text)
def test_a_public_filter(shape: PublicFilter) -> None:
    try:
        check_filter(parse_filter(shape.text), SCHEMAS)
        refusal = None
    except FilterError as error:
        refusal = str(error)
    assert (refusal is None) == (shape.refusal is None), refusal
    assert shape.refusal is None or shape.refusal in str(refusal)


def test_there_are_many_filters_and_no_two_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert len({shape.text for shape in PUBLIC_FILTERS}) == len(PUBLIC_FILTERS) >= MANY
    decided = Counter((each.authority, "refused" if each.refusal else "accepted") for each in PUBLIC_FILTERS)
    with capsys.disabled():
        counts = ", ".join(f"{count} {verdict} by {who}" for (who, verdict), count in sorted(decided.items()))
        print(f"\n{len(PUBLIC_FILTERS)} shapes of filters: {counts}")  # noqa: T201 - the count is asked for


@pytest.mark.parametrize(
    ("guide", "plain"),
    [
        ("INCLUDE ActionID WHERE Actions.VALUE > ($LEAST)", "INCLUDE ActionID WHERE Actions.VALUE > $LEAST"),
        ('INCLUDE ActionID WHERE Action.CLUB IN ("a")', 'INCLUDE ActionID WHERE Actions.CLUB IN ("a")'),
        (
            "EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN (*)",
            "EXCLUDE ActionID WHERE ActionInteractions.EVENT_TYPE IN (*)",
        ),
    ],
)
def test_two_ways_to_write_it_mean_the_same(guide: str, plain: str) -> None:
    assert _meaning(guide) == _meaning(plain)


def _meaning(text: str) -> object:
    return [
        [(test.dataset, test.field, test.operator, test.operands) for test in rule.tests]
        for rule in parse_filter(text).rules
    ]
