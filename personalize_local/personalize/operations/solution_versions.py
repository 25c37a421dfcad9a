"""Train solution versions on what the datasets hold at that moment, by request or by schedule."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from personalize_local.engine.api import TrainingResult, TrainingSpec
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.personalize.controls.durations import HPO_FACTOR, TRAINING_SECONDS_PER_ROW
from personalize_local.personalize.operations.catalogue import recipe_of
from personalize_local.personalize.operations.datasets import of_group, reference_to
from personalize_local.personalize.operations.solutions import recipe_arn
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import ServiceError, already_exists, in_use, invalid_input
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.arns import owned_by_service
from personalize_local.personalize.resources.job_runner import CreationOptions, Task
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.status_timeline import STOP_TRAINING, JobResult

# A unit of 4 vCPU and 8 GiB for an hour is billed as one: 20 minutes were seen to cost 1.073 (aws-samples notebooks).
BILLED_HOURS_PER_HOUR: Final = 3.2
_INHERITED: Final = (
    "performHPO", "performAutoML", "performIncrementalUpdate", "recipeArn", "eventType", "datasetGroupArn",
    "solutionConfig",
)  # fmt: skip


def create_solution_version(account: Account, request: Members) -> Members:
    """Answer CreateSolutionVersion."""
    solution = account.find("solution", request["solutionArn"])
    _require_free_name(account, solution, request.get("name"))
    account.require_begun(solution)
    recipe = recipe_of(account, recipe_arn(account, solution))
    mode = request.get("trainingMode", "FULL")
    _check_data(account, solution.group_arn, recipe)
    base = _check_mode(account, solution, recipe, mode)
    check_new(request.get("tags"))
    account.require_quota("solution_version")
    version = train(account, solution, {**request, "trainingMode": mode, "trainingType": "MANUAL"}, base)
    return {"solutionVersionArn": version.arn}


def _require_free_name(account: Account, solution: Record, name: str | None) -> None:
    versions = account.all("solution_version", solutionArn=solution.arn, name=name)
    if name is not None and next(versions, None) is not None:
        raise already_exists(f"{solution.arn}/{name}")


def _check_data(account: Account, group_arn: str, recipe: Recipe) -> None:
    present = of_group(account, group_arn)
    missing = [needed for needed in recipe.needs if needed not in present]
    if missing:
        raise ServiceError(
            account.switches.missing_training_data, f"{recipe.name} needs datasets of the types {', '.join(missing)}."
        )
    if account.switches.training_during_import == "refuse":
        _check_imports(account, present.values())


def _check_imports(account: Account, present: Iterable[Record]) -> None:
    now = account.now()
    for dataset in present:
        jobs = list(account.all("dataset_import_job", datasetArn=dataset.arn))
        if jobs and not jobs[-1].point(now).over:
            raise invalid_input(f"{jobs[-1].arn} is {jobs[-1].status(now)}.")


def _check_mode(account: Account, solution: Record, recipe: Recipe, mode: str) -> str | None:
    if mode == "FULL":
        return None
    if mode == "AUTOTRAIN":
        raise invalid_input("trainingMode AUTOTRAIN is the service's own.")
    if not recipe.update_mode:
        raise invalid_input(f"{recipe.name} does not support trainingMode UPDATE.")
    now = account.now()
    trained = [
        version
        for version in account.all("solution_version", solutionArn=solution.arn)
        if version.is_active(now) and version.members["trainingMode"] != "UPDATE"
    ]
    if not trained:
        raise invalid_input(f"trainingMode UPDATE needs an ACTIVE version of {solution.arn} from FULL training.")
    if account.switches.update_needs_new_data:
        _check_news(account, solution)
    return str(trained[-1].notes["model"])


def _check_news(account: Account, solution: Record) -> None:
    versions = account.all("solution_version", solutionArn=solution.arn)
    newest = max(version.created for version in versions if version.is_active(account.now()))
    if not any(is_newer(account, dataset, newest) for dataset in of_group(account, solution.group_arn).values()):
        raise invalid_input(
            "There should be updates to at least one dataset after last active solution version with training mode set"
            " to FULL"
        )


def is_newer(account: Account, dataset: Record, since: float) -> bool:
    """Tell whether an import has ended in a dataset, or rows were streamed to it, since a moment."""
    now = account.now()
    jobs = account.all("dataset_import_job", datasetArn=dataset.arn)
    imported = any(job.is_active(now) and job.point(now).since >= since for job in jobs)
    return imported or dataset.notes.get("streamedAt", -1.0) >= since


def train(account: Account, solution: Record, members: Members, base: str | None = None) -> Record:
    """Begin a training with the solution's present settings."""
    is_named = "name" in members and account.switches.named_version_arn == "ends in the name"
    tail = members["name"] if is_named else secrets.token_hex(4)
    arn = f"{solution.arn}/{tail}"
    inherited: Members = {key: solution.members[key] for key in _INHERITED if key in solution.members}
    shown: Members = {
        **inherited,
        **members,
        "name": members.get("name", f"{solution.name}/{tail}"),
        "solutionArn": solution.arn,
    }
    model = f"{solution.name}/{tail}"
    task = training_task(account, recipe_arn(account, solution), shown, model, base)
    more = extra_seconds(account, shown)
    return account.add(
        "solution_version", arn, shown, options=CreationOptions(task, more), notes={"model": model, "base": base}
    )


def train_again(account: Account, version: Record) -> Task:
    """Return the training of a version that a crash has interrupted."""
    solution = account.find("solution", version.members["solutionArn"])
    return training_task(
        account, recipe_arn(account, solution), version.members, version.notes["model"], version.notes["base"]
    )


def extra_seconds(account: Account, settings: Members) -> float:
    """Return how much longer than typical a training on the group's data takes."""
    datasets = of_group(account, settings["datasetGroupArn"])
    interactions = datasets.get("INTERACTIONS")
    rows = imported_rows(account, interactions) if interactions else 0
    return rows * TRAINING_SECONDS_PER_ROW * (HPO_FACTOR if settings.get("performHPO") else 1.0)


def imported_rows(account: Account, dataset: Record) -> int:
    """Return how many rows the imports so far have left in the dataset."""
    jobs = account.all("dataset_import_job", datasetArn=dataset.arn)
    return max((int(job.notes.get("rowsTotal", 0)) for job in jobs), default=0)


def training_task(
    account: Account, recipe: str, settings: Mapping[str, Any], model: str, base: str | None = None
) -> Task:
    """Return the work of a training on what the group's datasets hold when it begins."""
    references = [reference_to(account, each) for each in of_group(account, settings["datasetGroupArn"]).values()]
    spec = TrainingSpec(
        version=model,
        recipe=recipe.rpartition("/")[2],
        datasets=references,
        solution=dict(settings),
        now=account.now(),
        base_version=base,
        seed=0,
    )
    engine = account.engine
    return lambda: result_of(engine.train(spec).result(), account.partition)


def result_of(result: TrainingResult, partition: str) -> JobResult:
    """Return what a finished training tells."""
    members: Members = {}
    if result.tuned_hyperparameters is not None:
        members["tunedHPOParams"] = {"algorithmHyperParameters": dict(result.tuned_hyperparameters)}
    notes: Members = {"metrics": dict(result.metrics), "realTrainingHours": result.training_hours}
    if result.best_recipe is not None:
        notes["bestRecipeArn"] = owned_by_service(partition, "recipe", result.best_recipe)
    if result.report is not None:
        notes["report"] = str(result.report)
    return JobResult(members, notes)


def finish(account: Account, version: Record) -> None:
    """Complete a version that has become ACTIVE: its billed hours, and the recipe that AutoML has chosen."""
    if not version.is_active(account.now()):
        return
    elapsed = version.point(account.now()).since - version.created
    version.members["trainingHours"] = round(elapsed / 3600 * BILLED_HOURS_PER_HOUR, 3)
    best = version.notes.get("bestRecipeArn")
    solution = account.get("solution", version.members["solutionArn"])
    if best and solution is not None:
        solution.members["autoMLResult"] = {"bestRecipeArn": best}


def stop_solution_version_creation(account: Account, request: Members) -> None:
    """Answer StopSolutionVersionCreation: at once when still pending, else by way of CREATE STOPPING."""
    version = account.find("solution_version", request["solutionVersionArn"])
    status = version.status(account.now())
    if status not in {"CREATE PENDING", "CREATE IN_PROGRESS"}:
        raise in_use(f"{version.arn} cannot be stopped; its status is {status}.")
    engine, model = account.engine, version.notes["model"]
    account.begin_transition(
        version, STOP_TRAINING, "stop", lambda: engine.stop_training(model), at_once=status == "CREATE PENDING"
    )


def get_solution_metrics(account: Account, request: Members) -> Members:
    """Answer GetSolutionMetrics."""
    version = account.find("solution_version", request["solutionVersionArn"])
    if not version.is_active(account.now()):
        raise in_use(f"{version.arn} is not ACTIVE; its status is {version.status(account.now())}.")
    return {"solutionVersionArn": version.arn, "metrics": version.notes["metrics"]}
