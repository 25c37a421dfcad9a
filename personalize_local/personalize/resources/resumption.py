"""Begin jobs again that a crash has interrupted."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from personalize_local.personalize.operations.batch_jobs import answer_again
from personalize_local.personalize.operations.data_jobs import import_again
from personalize_local.personalize.operations.datasets import reference_to
from personalize_local.personalize.operations.recommenders import train_again as train_recommender_again
from personalize_local.personalize.operations.solution_versions import train_again
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import Task
from personalize_local.personalize.resources.records import Record
from personalize_local.personalize.resources.status_timeline import CREATE, DOCUMENTED_BATCH

_MAKERS: Final[Mapping[str, Callable[[Account, Record], Task]]] = {
    "dataset_import_job": import_again,
    "solution_version": train_again,
    "recommender": train_recommender_again,
    "batch_inference_job": answer_again,
    "batch_segment_job": answer_again,
}


def resumed_task(account: Account, record: Record) -> Task | None:
    """Return what completes the record's timeline; None where the work cannot be done a second time."""
    if record.is_going() or record.type.noun == "dataset":  # a dataset's creation drops rows of an earlier one
        return partial(_drop, account, record)
    maker = _MAKERS.get(record.type.noun)
    if maker is None or record.timeline.words not in {CREATE, DOCUMENTED_BATCH}:
        return None
    return maker(account, record)


def _drop(account: Account, record: Record) -> None:
    with account.lock:
        models = [version.notes["model"] for version in account.all("solution_version", solutionArn=record.arn)]
        models += [record.notes["model"]] if "model" in record.notes else []
        dataset = reference_to(account, record) if record.type.noun == "dataset" else None
    for model in models:
        account.engine.drop_model(model)
    if dataset is not None:
        account.engine.drop_dataset(dataset)
