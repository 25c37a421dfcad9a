"""Create, update and delete datasets: one of each type in a group, with a schema that fits type and domain."""

import uuid
from collections.abc import Sequence

from personalize_local.engine.api import DatasetRef, EngineError
from personalize_local.engine.datasets.schema import Schema, check_schema_fits, check_schema_replacement, parse_schema
from personalize_local.engine.datasets.schema_rules import RULES
from personalize_local.personalize.operations.dataset_groups import begin_deletion
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import in_use, invalid_input
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import CreationOptions
from personalize_local.personalize.resources.records import Members, Record


def create_dataset(account: Account, request: Members) -> Members:
    """Answer CreateDataset."""
    dataset_type = request["datasetType"].upper()
    group = account.find("dataset_group", request["datasetGroupArn"])
    schema = account.find("schema", request["schemaArn"])
    arn = account.arn("dataset", group.name, dataset_type)
    account.require_free("dataset", arn)
    account.require_active(group)
    _check_fits(schema, dataset_type, group.members.get("domain"))
    check_new(request.get("tags"))
    account.require_quota("dataset")
    tracking_id = str(uuid.uuid4()) if dataset_type == "ACTION_INTERACTIONS" else None
    members = {**request, "datasetType": dataset_type, "trackingId": tracking_id}
    reference, engine = _reference(arn, schema), account.engine
    # Rows of a dataset that was forgotten without a deletion (moto's reset) must not come back.
    account.add("dataset", arn, members, options=CreationOptions(lambda: engine.drop_dataset(reference)))
    return {"datasetArn": arn}


def _check_fits(schema: Record, dataset_type: str, domain: str | None) -> None:
    known = next((each for each in RULES if each == dataset_type), None)
    if known is None:
        raise invalid_input(f"Invalid dataset type {dataset_type}. It must be one of {', '.join(RULES)}.")
    if schema.members.get("domain") != domain:
        raise invalid_input(f"The domain of {schema.arn} is not the domain of the dataset group.")
    try:
        check_schema_fits(parse_schema(schema.members["schema"]), known, domain)
    except EngineError as error:
        raise invalid_input(f"{schema.arn} does not fit: {error}") from error


def update_dataset(account: Account, request: Members) -> Members:
    """Answer UpdateDataset: the new schema takes over once the update is done."""
    dataset = account.find("dataset", request["datasetArn"])
    schema = account.find("schema", request["schemaArn"])
    account.require_active(dataset)
    if dataset.is_updating(account.now()):
        raise in_use(f"{dataset.arn} is being updated already.")
    group = account.find("dataset_group", dataset.group_arn)
    dataset_type = dataset.members["datasetType"]
    _check_fits(schema, dataset_type, group.members.get("domain"))
    try:
        check_schema_replacement(schema_of(account, dataset), parse_schema(schema.members["schema"]), dataset_type)
    except EngineError as error:
        raise invalid_input(str(error)) from error
    account.begin_update(dataset, {"schemaArn": schema.arn})
    return {"datasetArn": dataset.arn}


def delete_dataset(account: Account, request: Members) -> None:
    """Answer DeleteDataset: refused while data is on its way in or a training reads it."""
    dataset = account.find("dataset", request["datasetArn"])
    now = account.now()
    jobs = (*account.all("dataset_import_job", datasetArn=dataset.arn), *trainings(account, dataset.group_arn))
    busy = next((job for job in jobs if not job.point(now).over), None)
    if busy is not None:
        raise account.still_needed(dataset.arn, busy.arn)
    reference, engine = reference_to(account, dataset), account.engine
    begin_deletion(account, dataset, lambda: engine.drop_dataset(reference))


def trainings(account: Account, group_arn: str) -> Sequence[Record]:
    """Return what trains on a group's data."""
    return [
        *account.all("solution_version", datasetGroupArn=group_arn),
        *account.all("recommender", datasetGroupArn=group_arn),
    ]


def of_group(account: Account, group_arn: str) -> dict[str, Record]:
    """Return the usable datasets of a group by type."""
    now = account.now()
    datasets = account.all("dataset", datasetGroupArn=group_arn)
    return {each.members["datasetType"]: each for each in datasets if each.is_there(now)}


def schema_of(account: Account, dataset: Record) -> Schema:
    """Return the schema a dataset has now."""
    return parse_schema(account.find("schema", dataset.members["schemaArn"]).members["schema"])


def reference_to(account: Account, dataset: Record) -> DatasetRef:
    """Return the dataset as the engine knows it."""
    return _reference(dataset.arn, account.find("schema", dataset.members["schemaArn"]))


def _reference(arn: str, schema: Record) -> DatasetRef:
    group_name, dataset_type = arn.split("/")[1:]
    kind = next(each for each in RULES if each == dataset_type)
    return DatasetRef(f"{group_name}/{dataset_type}", kind, schema.members["schema"])
