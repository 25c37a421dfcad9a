"""Create and delete dataset groups and schemas, which have to be there before any data."""

from functools import partial

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.schema import check_schema_fits, dataset_type_of, parse_schema
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import in_use, invalid_input
from personalize_local.personalize.resources.access import access_of
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import Task
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.status_timeline import DELETE, JobResult

_CHILDREN = (
    "dataset",
    "event_tracker",
    "filter",
    "metric_attribution",
    "solution",
    "recommender",
)


def create_dataset_group(account: Account, request: Members) -> Members:
    """Answer CreateDatasetGroup."""
    arn = account.arn("dataset-group", request["name"])
    account.require_free("dataset_group", arn)
    if ("kmsKeyArn" in request) != ("roleArn" in request):
        raise invalid_input("kmsKeyArn and roleArn must be given together.")
    if "roleArn" in request:
        access_of(account, arn, request["roleArn"])
    check_new(request.get("tags"))
    account.require_quota("dataset_group")
    group = account.add("dataset_group", arn, dict(request))
    account.engine.warm_up()  # imports come next, and a worker's start would count as minutes of simulated time
    return {"datasetGroupArn": arn, "domain": group.members.get("domain")}


def delete_dataset_group(account: Account, request: Members) -> None:
    """Answer DeleteDatasetGroup: refused while it has anything in it."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    for noun in _CHILDREN:
        child = next(account.all(noun, datasetGroupArn=group.arn), None)
        if child is not None:
            raise account.still_needed(group.arn, child.arn)
    begin_deletion(account, group)


def begin_deletion(account: Account, record: Record, task: Task | None = None) -> None:
    """Send a resource towards its end, unless it is changing or going already; `task` is what has to go with it."""
    now = account.now()
    if record.is_going() or not record.point(now).over or record.is_updating(now):
        raise in_use(f"{record.arn} cannot be deleted now; its status is {record.status(now)}.")
    account.begin_transition(record, DELETE, "delete", task and partial(_once_persisted, account, task))


def _once_persisted(account: Account, task: Task) -> JobResult | None:
    """Remove files only when it is on disk that their resource goes: a crash must not bring back one without files."""
    account.service.persist()
    return task()


def create_schema(account: Account, request: Members) -> Members:
    """Answer CreateSchema: what claims to be Avro must hold from the start; there is no status to fail later."""
    arn = account.arn("schema", request["name"])
    account.require_free("schema", arn)
    if _is_checked(request["schema"], account.switches.schema_check):
        _check_schema(request["schema"], request.get("domain"))
    account.require_quota("schema")
    account.add("schema", arn, dict(request))
    return {"schemaArn": arn}


def _is_checked(text: str, check: str) -> bool:
    return check == "strict" or (check == "JSON objects" and text.lstrip().startswith("{"))


def _check_schema(text: str, domain: str | None) -> None:
    try:
        schema = parse_schema(text)
        dataset_type = dataset_type_of(schema)
        if domain is not None and dataset_type is not None:
            check_schema_fits(schema, dataset_type, domain)
    except EngineError as error:
        raise invalid_input(f"Schema is invalid: {error}") from error


def delete_schema(account: Account, request: Members) -> None:
    """Answer DeleteSchema: gone at once, unless any dataset of any group uses it."""
    schema = account.find("schema", request["schemaArn"])
    user = next((each for each in account.all("dataset") if schema.arn in _schemas_of(each)), None)
    if user is not None:
        raise account.still_needed(schema.arn, user.arn)
    account.remove(schema)


def _schemas_of(dataset: Record) -> tuple[str, ...]:
    coming = dataset.update.changes.get("schemaArn", "") if dataset.update and not dataset.update.applied else ""
    return dataset.members["schemaArn"], coming
