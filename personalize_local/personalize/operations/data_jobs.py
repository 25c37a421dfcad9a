"""Start jobs that move data (import, export, deletion of users); what needs S3 or rows fails later, not in the call."""

from pathlib import Path

from personalize_local.engine.api import DatasetRef, EngineError, ImportMode
from personalize_local.personalize.controls.durations import IMPORT_SECONDS_PER_MEBIBYTE
from personalize_local.personalize.operations.datasets import of_group, reference_to
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import in_use, invalid_input
from personalize_local.personalize.resources import job_files
from personalize_local.personalize.resources.access import AccessError, JobAccess, access_of, insufficient
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import CreationOptions, Task
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.status_timeline import JobResult

_MEBIBYTE = 2**20
_NOT_EXPORTED = frozenset({"ACTIONS", "ACTION_INTERACTIONS"})


def create_dataset_import_job(account: Account, request: Members) -> Members:
    """Answer CreateDatasetImportJob."""
    dataset = account.find("dataset", request["datasetArn"])
    arn = account.arn("dataset-import-job", request["jobName"])
    account.require_free("dataset_import_job", arn)
    account.require_active(dataset)
    mode: ImportMode = request.get("importMode", "FULL")
    location = request["dataSource"].get("dataLocation", "")
    _check_location(location)
    _check_mode(account, dataset, mode)
    _check_attribution(account, dataset, request)
    check_new(request.get("tags"))
    access = access_of(account, arn, request.get("roleArn"))
    account.require_quota("dataset_import_job")
    task = _importing(account, dataset, location, mode, access)
    account.add(
        "dataset_import_job", arn, {"roleArn": None, **request, "importMode": mode}, options=CreationOptions(task)
    )
    return {"datasetImportJobArn": arn}


def import_again(account: Account, job: Record) -> Task:
    """Return the import that a crash has interrupted; rows that it had brought already count once."""
    dataset = account.find("dataset", job.members["datasetArn"])
    location, access = job.members["dataSource"]["dataLocation"], access_of(account, job.arn, job.members["roleArn"])
    return _importing(account, dataset, location, job.members["importMode"], access)


def _check_location(location: str) -> None:
    bucket, key = job_files.split(location)
    if not location.startswith("s3://") or not bucket or (key and not key.endswith(("/", ".csv", ".CSV"))):
        raise invalid_input("Invalid Data location.")


def _check_mode(account: Account, dataset: Record, mode: str) -> None:
    now = account.now()
    jobs = account.all("dataset_import_job", datasetArn=dataset.arn)
    if mode == "INCREMENTAL" and not any(job.is_active(now) for job in jobs):
        raise invalid_input(f"The first bulk import of {dataset.arn} must be FULL.")


def _check_attribution(account: Account, dataset: Record, request: Members) -> None:
    if not request.get("publishAttributionMetricsToS3"):
        return
    attributions = account.all("metric_attribution", datasetGroupArn=dataset.group_arn)
    if not any(each.members["metricsOutputConfig"].get("s3DataDestination") for each in attributions):
        raise invalid_input("publishAttributionMetricsToS3 needs a metric attribution with an S3 destination.")


def _importing(account: Account, dataset: Record, location: str, mode: ImportMode, access: JobAccess) -> Task:
    reference, engine, arn = reference_to(account, dataset), account.engine, dataset.arn

    def task() -> JobResult:
        with account.service.scratch() as directory:
            files = _fetch(access, location, directory, reference, arn)
            size = sum(file.stat().st_size for file in files)
            report = engine.import_files(reference, files, mode).result()
        seconds = size / _MEBIBYTE * IMPORT_SECONDS_PER_MEBIBYTE
        return JobResult(notes={"rowsRead": report.rows_read, "rowsTotal": report.rows_total}, extra_seconds=seconds)

    return task


def _fetch(access: JobAccess, location: str, directory: Path, reference: DatasetRef, arn: str) -> list[Path]:
    bucket, _ = job_files.split(location)
    failed = f"Failed to create a data import job for {reference.type} dataset {arn}."
    try:
        keys = job_files.csv_files(access, location)
        if not keys:
            raise EngineError(f"{failed} No CSV file was found at {location}.")
        return job_files.download(access, bucket, keys, directory)
    except AccessError as error:
        raise EngineError(f"{failed} {insufficient(error)}") from error


def create_dataset_export_job(account: Account, request: Members) -> Members:
    """Answer CreateDatasetExportJob."""
    dataset = account.find("dataset", request["datasetArn"])
    arn = account.arn("dataset-export-job", request["jobName"])
    account.require_free("dataset_export_job", arn)
    account.require_active(dataset)
    if dataset.members["datasetType"] in _NOT_EXPORTED:
        raise invalid_input(f"A dataset of type {dataset.members['datasetType']} cannot be exported.")
    destination = request["jobOutput"]["s3DataDestination"]["path"]
    if not destination.startswith("s3://") or not job_files.split(destination)[0]:
        raise invalid_input("Invalid S3 output path")
    check_new(request.get("tags"))
    access = access_of(account, arn, request["roleArn"])
    account.require_quota("dataset_export_job")
    mode = request.get("ingestionMode", "PUT")
    reference, engine = reference_to(account, dataset), account.engine

    def task() -> None:
        with account.service.scratch() as directory:
            files = engine.export(reference, directory, mode).result()
            try:
                job_files.upload(access, files, f"{destination.rstrip('/')}/")
            except AccessError as error:
                raise EngineError(insufficient(error)) from error

    account.add("dataset_export_job", arn, {**request, "ingestionMode": mode}, options=CreationOptions(task))
    return {"datasetExportJobArn": arn}


def check_folder(destination: str) -> None:
    """Raise unless the destination is a folder in a bucket."""
    bucket, _ = job_files.split(destination)
    if not destination.startswith("s3://") or not bucket or not destination.endswith("/"):
        raise invalid_input("Invalid S3 output path")


def create_data_deletion_job(account: Account, request: Members) -> Members:
    """Answer CreateDataDeletionJob: users listed in CSV files are forgotten."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    arn = account.arn("data-deletion-job", request["jobName"])
    account.require_free("data_deletion_job", arn)
    account.require_active(group)
    location = request["dataSource"].get("dataLocation", "")
    _check_location(location)
    check_new(request.get("tags"))
    datasets = of_group(account, group.arn)
    if not datasets:
        raise in_use(f"{group.arn} has no ACTIVE dataset.")
    access = access_of(account, arn, request["roleArn"])
    account.require_quota("data_deletion_job", group.arn)
    references, engine = [reference_to(account, each) for each in datasets.values()], account.engine

    def task() -> JobResult:
        with account.service.scratch() as directory:
            try:
                keys = job_files.csv_files(access, location, recursive=True)
                files = job_files.download(access, job_files.split(location)[0], keys, directory)
            except AccessError as error:
                raise EngineError(insufficient(error)) from error
            return JobResult(members={"numDeleted": engine.delete_users(references, files).result()})

    account.add("data_deletion_job", arn, dict(request), options=CreationOptions(task))
    return {"dataDeletionJobArn": arn}
