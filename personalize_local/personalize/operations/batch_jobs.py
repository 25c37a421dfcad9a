"""Start batch inference, segment and theme jobs: JSON Lines in, one `.out` file per input out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from personalize_local.engine.api import BatchSpec, EngineError, FilterUse
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.personalize.operations.campaigns import check_config
from personalize_local.personalize.operations.catalogue import recipe_of
from personalize_local.personalize.operations.data_jobs import check_folder
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.filters import check_use
from personalize_local.personalize.operations.solutions import recipe_arn
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import invalid_input
from personalize_local.personalize.resources import job_files
from personalize_local.personalize.resources.access import AccessError, JobAccess, access_of
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import CreationOptions, Task
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.status_timeline import DOCUMENTED_BATCH, StatusWords

_FILES_AT_MOST: Final = 1000
_BYTES_AT_MOST: Final = 10**9
_SEGMENT_USERS_AT_MOST: Final = 5_000_000
_DEFAULT_RESULTS: Final = 25
_THEMES: Final = "THEME_GENERATION"
_THEME_REGIONS: Final = ("us-east-1", "us-west-2", "ap-northeast-1")


def create_batch_inference_job(account: Account, request: Members) -> Members:
    """Answer CreateBatchInferenceJob."""
    version = account.find("solution_version", request["solutionVersionArn"])
    chosen = _filter(account, request)
    arn = account.arn("batch-inference-job", request["jobName"])
    account.require_free("batch_inference_job", arn)
    account.require_active(version, *chosen)
    recipe = recipe_of(account, recipe_arn(account, version))
    mode = request.get("batchInferenceJobMode", "BATCH_INFERENCE")
    if not recipe.batch:
        raise invalid_input(f"{recipe.name} does not support batch inference jobs.")
    _check_locations(request)
    _check_filter(version, recipe, chosen)
    _check_results(request, account.switches.batch_num_results_maximum)
    check_config(recipe, request.get("batchInferenceJobConfig", {}))
    if mode == _THEMES:
        _check_themes(account, version, recipe, request)
    check_new(request.get("tags"))
    access = access_of(account, arn, request["roleArn"])
    account.require_quota("batch_inference_job")
    task = _running(account, request, version, chosen, access)
    shown = {"numResults": _DEFAULT_RESULTS, **request, "batchInferenceJobMode": mode}
    account.add(
        "batch_inference_job",
        arn,
        shown,
        options=CreationOptions(task, words=_words(account)),
        notes={"datasetGroupArn": version.group_arn},
    )
    return {"batchInferenceJobArn": arn}


def create_batch_segment_job(account: Account, request: Members) -> Members:
    """Answer CreateBatchSegmentJob."""
    version = account.find("solution_version", request["solutionVersionArn"])
    chosen = _filter(account, request)
    arn = account.arn("batch-segment-job", request["jobName"])
    account.require_free("batch_segment_job", arn)
    account.require_active(version, *chosen)
    recipe = recipe_of(account, recipe_arn(account, version))
    if not recipe.is_segmentation:
        raise invalid_input(f"{recipe.name} does not make user segments.")
    _check_locations(request)
    _check_filter(version, recipe, chosen)
    _check_results(request, _SEGMENT_USERS_AT_MOST)
    check_new(request.get("tags"))
    access = access_of(account, arn, request["roleArn"])
    account.require_quota("batch_segment_job")
    task = _running(account, request, version, chosen, access)
    shown = {"numResults": _DEFAULT_RESULTS, **request}
    account.add(
        "batch_segment_job",
        arn,
        shown,
        options=CreationOptions(task, words=_words(account)),
        notes={"datasetGroupArn": version.group_arn},
    )
    return {"batchSegmentJobArn": arn}


def answer_again(account: Account, job: Record) -> Task:
    """Return the work of a batch job that a crash has interrupted."""
    version = account.find("solution_version", job.members["solutionVersionArn"])
    access = access_of(account, job.arn, job.members["roleArn"])
    return _running(account, job.members, version, _filter(account, job.members), access)


def _words(account: Account) -> StatusWords | None:
    return DOCUMENTED_BATCH if account.switches.batch_status_words == "documented" else None


def _filter(account: Account, request: Members) -> tuple[Record, ...]:
    return (account.find("filter", request["filterArn"]),) if "filterArn" in request else ()


def _check_filter(version: Record, recipe: Recipe, chosen: tuple[Record, ...]) -> None:
    for each in chosen:
        check_use(each, recipe)
        if each.group_arn != version.group_arn:
            raise invalid_input(f"{each.arn} belongs to another dataset group than {version.arn}.")


def _paths(request: Members) -> tuple[str, str]:
    return request["jobInput"]["s3DataSource"]["path"], request["jobOutput"]["s3DataDestination"]["path"]


def _check_locations(request: Members) -> None:
    source, destination = _paths(request)
    if not source.startswith("s3://") or not job_files.split(source)[0]:
        raise invalid_input("Invalid S3 input path")
    check_folder(destination)
    if source.rstrip("/") == destination.rstrip("/"):
        raise invalid_input("Invalid S3 output path: it must differ from the input path.")


def _check_results(request: Members, maximum: int) -> None:
    wanted = request.get("numResults", _DEFAULT_RESULTS)
    if not 1 <= wanted <= maximum:
        raise invalid_input(f"numResults must lie between 1 and {maximum}; {wanted} does not.")


def _check_themes(account: Account, version: Record, recipe: Recipe, request: Members) -> None:
    if not recipe.themes:
        raise invalid_input(f"{recipe.name} does not support {_THEMES}; use aws-similar-items.")
    if account.switches.theme_regions == "documented" and account.region not in _THEME_REGIONS:
        raise invalid_input(f"{_THEMES} is offered in {', '.join(_THEME_REGIONS)} only.")
    config: Mapping[str, Mapping[str, str]] = request.get("themeGenerationConfig", {})
    column = config.get("fieldsForThemeGeneration", {}).get("itemName")
    items = of_group(account, version.group_arn).get("ITEMS")
    fields = schema_of(account, items).fields if items else ()
    if column is None or column not in {field.name for field in fields if field.type == "string"}:
        raise invalid_input(f"{_THEMES} needs an itemName that is a string column of the Items dataset.")
    if not any(field.textual for field in fields):
        raise invalid_input(f"{_THEMES} needs a textual column in the Items dataset.")


def _running(
    account: Account, request: Members, version: Record, chosen: tuple[Record, ...], access: JobAccess
) -> Task:
    source, destination = _paths(request)
    fields = request.get("themeGenerationConfig", {}).get("fieldsForThemeGeneration", {})
    is_themes = request.get("batchInferenceJobMode") == _THEMES
    spec = BatchSpec(
        version=version.notes["model"],
        inputs=(),
        output_directory=Path(),
        now=account.now(),
        num_results=request.get("numResults", _DEFAULT_RESULTS),
        filter=FilterUse(chosen[0].members["filterExpression"]) if chosen else None,
        config=request.get("batchInferenceJobConfig", {}),
        theme_item_name=fields.get("itemName") if is_themes else None,
    )
    engine = account.engine

    def task() -> None:
        with account.service.scratch() as directory:
            inputs, outputs = _fetch(access, source, directory / "in"), directory / "out"
            outputs.mkdir()
            report = engine.batch(replace(spec, inputs=inputs, output_directory=outputs)).result()
            _deliver(access, report.outputs, destination)

    return task


def _fetch(access: JobAccess, source: str, directory: Path) -> list[Path]:
    directory.mkdir()
    bucket, prefix = job_files.split(source)
    try:
        objects = [(key, size) for key, size in job_files.keys_below(access, bucket, prefix) if not key.endswith("/")]
        if not objects:
            raise EngineError(f"Invalid S3 input path: there is no object at {source}.")
        if len(objects) > _FILES_AT_MOST or sum(size for _, size in objects) > _BYTES_AT_MOST:
            raise EngineError("Invalid S3 input path: a job reads at most 1000 files and 1 GB.")
        return job_files.download(access, bucket, [key for key, _ in objects], directory)
    except AccessError as error:
        raise EngineError(f"Invalid S3 input path: {source} cannot be read. {error}") from error


def _deliver(access: JobAccess, outputs: Sequence[Path], destination: str) -> None:
    try:
        job_files.upload(access, outputs, destination)
    except AccessError as error:
        raise EngineError(f"Invalid S3 output path: {destination} cannot be written. {error}") from error
