"""Schemas and filters of public shapes: accepted or refused, as the corpora say."""

import pytest

from tests.conformance.target import Target, refused
from tests.personalize_local.engine.datasets.public_schemas import PUBLIC_SCHEMAS, PublicSchema
from tests.personalize_local.engine.filters.public_filters import PUBLIC_FILTERS, PublicFilter


@pytest.mark.operation("CreateSchema")
@pytest.mark.parametrize("shape", PUBLIC_SCHEMAS, ids=lambda shape: f"{shape.title} ({shape.authority})")
def test_schema(target: Target, shape: PublicSchema) -> None:
    """A shape that the guide forbids may be refused at once, or when a dataset is to have it."""
    name = target.name(f"shape-{PUBLIC_SCHEMAS.index(shape)}")
    domain = {"domain": shape.domain} if shape.domain else {}
    came = refused(lambda: target.create("schema", name=name, schema=shape.text, **domain))
    if came is None and not shape.accepted:
        prefix = target.empty_group.partition(":dataset-group/")[0]
        request = {"name": name, "schemaArn": f"{prefix}:schema/{name}", "datasetGroupArn": target.empty_group}
        came = refused(target.personalize.create_dataset, **request, datasetType=shape.dataset_type)
    assert (came is None) == shape.accepted, came
    assert came is None or came[0] == "InvalidInput"


@pytest.mark.operation("CreateFilter")
@pytest.mark.parametrize("shape", PUBLIC_FILTERS, ids=lambda shape: f"{shape.text} ({shape.authority})")
def test_filter(target: Target, shape: PublicFilter) -> None:
    name = target.name(f"filter-{PUBLIC_FILTERS.index(shape)}")
    request = {"name": name, "datasetGroupArn": target.group, "filterExpression": shape.text}
    came = refused(target.personalize.create_filter, **request)
    if came is None:  # at once: all filters of a group share a quota of fields
        target.delete("filter", target.group.replace("dataset-group/", "filter/").rpartition("/")[0] + f"/{name}")
    assert (came is None) == (shape.refusal is None), came
    assert came is None or came[0] == "InvalidInput"
