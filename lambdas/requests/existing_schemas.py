"""Let a dataset that exists keep its schema when that has the columns asked for, whatever its name.

A schema is named by us; one that somebody made by hand, or another tool, is as good. Amazon Personalize cannot replace
the schema of a dataset of interactions, so asking for ours would end such a run red for ever.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.personalize.avro_schema import same_columns
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES


def keeping_schemas(stage: Mapping[str, Any], personalize: Personalize) -> dict[str, Any]:
    """Return the import stage's plan with the schemas that existing datasets keep."""
    return {**stage, "datasets": [_keeping_schema(planned, personalize) for planned in stage["datasets"]]}


def _keeping_schema(planned: Mapping[str, Any], personalize: Personalize) -> dict[str, Any]:
    request = planned["dataset"]["request"]
    row = RESOURCES["dataset"]
    dataset = personalize.describe(row, str(row.arn(personalize.arn_prefix, request)))
    if dataset is None or dataset["schemaArn"] == request["schemaArn"]:
        return dict(planned)
    kept = _schema(personalize, dataset["schemaArn"])
    asked = planned["schema"]["request"].get("schema") or _schema(personalize, request["schemaArn"])
    if not kept or not asked or not same_columns(kept, asked):
        return dict(planned)
    return {
        **planned,
        "schema": {"type": "schema", "request": {"schemaArn": dataset["schemaArn"], "schema": asked}},
        "dataset": {"type": "dataset", "request": {**request, "schemaArn": dataset["schemaArn"]}},
    }


def _schema(personalize: Personalize, arn: str) -> str:
    described = personalize.describe(RESOURCES["schema"], arn)
    return str(described["schema"]) if described else ""
