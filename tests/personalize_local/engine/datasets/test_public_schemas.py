"""Schemas as public programs write them are accepted or refused as the authority of each says."""

import json
from collections import Counter

import pytest

from personalize_local.engine.datasets.schema import SchemaError, check_schema_fits, parse_schema
from tests.personalize_local.engine.datasets.public_schemas import PUBLIC_SCHEMAS, PublicSchema

MANY = 60


@pytest.mark.parametrize("shape", PUBLIC_SCHEMAS, ids=lambda shape: shape.title)
def test_a_public_schema(shape: PublicSchema) -> None:
    try:
        check_schema_fits(parse_schema(shape.text), shape.dataset_type, shape.domain)
        refusal = None
    except SchemaError as error:
        refusal = str(error)
    assert (refusal is None) == shape.accepted, refusal


def test_there_are_many_and_no_two_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    texts = {(shape.dataset_type, shape.domain, shape.text) for shape in PUBLIC_SCHEMAS}
    assert len(texts) == len(PUBLIC_SCHEMAS) >= MANY
    decided = Counter((shape.authority, "accepted" if shape.accepted else "refused") for shape in PUBLIC_SCHEMAS)
    with capsys.disabled():
        counts = ", ".join(f"{count} {verdict} by {who}" for (who, verdict), count in sorted(decided.items()))
        print(f"\n{len(texts)} shapes of schemas: {counts}")  # noqa: T201 - the count is asked for


def test_a_union_of_one_type_is_that_type() -> None:
    plain, union = (parse_schema(_with_kind(kind)) for kind in ("string", ["string"]))
    assert plain == union


def _with_kind(kind: object) -> str:
    return json.dumps({"type": "record", "name": "Items", "fields": [{"name": "KIND", "type": kind}]})
