"""Real work that a crash has interrupted, begun again."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from emulator.personalize.account import Account
from emulator.personalize.batch import answer_again
from emulator.personalize.data_jobs import import_again
from emulator.personalize.datasets import reference_to
from emulator.personalize.lifecycle import CREATE, DOCUMENTED_BATCH
from emulator.personalize.recommenders import train_again as train_recommender_again
from emulator.personalize.records import Record
from emulator.personalize.training import train_again
from emulator.personalize.work import Task

_MAKERS: Final[Mapping[str, Callable[[Account, Record], Task]]] = {
    "dataset_import_job": import_again,
    "solution_version": train_again,
    "recommender": train_recommender_again,
    "batch_inference_job": answer_again,
    "batch_segment_job": answer_again,
}


def work_again(account: Account, record: Record) -> Task | None:
    """Return what completes the record's course; None where the work cannot be done a second time."""
    if record.is_going() or record.type.noun == "dataset":  # a dataset's creation drops rows of an earlier one
        return partial(_drop, account, record)
    maker = _MAKERS.get(record.type.noun)
    if maker is None or record.course.words not in {CREATE, DOCUMENTED_BATCH}:
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
