"""Let a dataset that exists keep its schema when that has the columns asked for, whatever its name.

A schema is named by us; one that somebody made by hand, or another tool, is as good. Amazon Personalize cannot replace
the schema of a dataset of interactions, so asking for ours would end such a run red for ever.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.personalize.avro_schema import replacement_fault, same_columns
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.stage_check import adoption_hint


def keeping_schemas(stage: Mapping[str, Any], personalize: Personalize) -> dict[str, Any]:
    """Return the import stage's plan with the schemas that existing datasets keep."""
    return {**stage, "datasets": [_keeping_schema(planned, personalize) for planned in stage["datasets"]]}


def schema_fault(planned: Mapping[str, Any], personalize: Personalize) -> str:
    """Return why a dataset that exists cannot come to the schema that is planned for it, or an empty text."""
    if foreign := _foreign_schema(planned, personalize):
        return f"{foreign.rpartition('/')[2]}, a name that this stage may not use: {adoption_hint(foreign)}"
    dataset, kept, asked = _schemas(planned, personalize)
    if not dataset or not kept or not asked or same_columns(kept, asked):
        return ""
    return replacement_fault(kept, asked, str(dataset["datasetType"]))


def _keeping_schema(planned: Mapping[str, Any], personalize: Personalize) -> dict[str, Any]:
    dataset, kept, asked = _schemas(planned, personalize)
    if not dataset or not kept or not asked or not same_columns(kept, asked):
        return dict(planned)
    request = {**planned["dataset"]["request"], "schemaArn": dataset["schemaArn"]}
    return {
        **planned,
        "schema": {"type": "schema", "request": {"schemaArn": dataset["schemaArn"], "schema": asked}},
        "dataset": {"type": "dataset", "request": request},
    }


def _schemas(planned: Mapping[str, Any], personalize: Personalize) -> tuple[dict[str, Any] | None, str, str]:
    """Return the dataset, if it has a schema of another name, the text of that one, and the text asked for."""
    request, row = planned["dataset"]["request"], RESOURCES["dataset"]
    dataset = personalize.describe(row, str(row.arn(personalize.arn_prefix, request)))
    if dataset and not personalize.names.covers_arn(dataset["schemaArn"], personalize.arn_prefix):
        return None, "", ""  # Plan refuses it
    if dataset is None or dataset["schemaArn"] == request["schemaArn"]:
        return None, "", ""
    asked = planned["schema"]["request"].get("schema") or _schema(personalize, request["schemaArn"])
    return dataset, _schema(personalize, dataset["schemaArn"]), asked


def _foreign_schema(planned: Mapping[str, Any], personalize: Personalize) -> str:
    """Return the ARN of the schema that an existing dataset has, if the stage may not read it."""
    row = RESOURCES["dataset"]
    dataset = personalize.describe(row, str(row.arn(personalize.arn_prefix, planned["dataset"]["request"])))
    arn = str(dataset["schemaArn"]) if dataset else ""
    return "" if personalize.names.covers_arn(arn, personalize.arn_prefix) else arn


def _schema(personalize: Personalize, arn: str) -> str:
    described = personalize.describe(RESOURCES["schema"], arn)
    return str(described["schema"]) if described else ""
