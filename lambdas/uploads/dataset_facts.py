"""Ask the service what an import must know of its dataset: the schema, and whether it was filled before."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.group_arn import group_arn_of
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import RESOURCES


class DatasetFacts(BaseModel):
    """What the service says about a dataset: its schema, and whether it was filled before."""

    model_config = ConfigDict(frozen=True)

    arn: str
    schema_text: str
    created: str
    filled: bool  # an import of it succeeded since it was created: the next one may be INCREMENTAL


class MissingDatasetError(Exception):
    """The dataset cannot be imported into yet; the text says why."""


def dataset_facts(personalize: Personalize, group: str, dataset: str, known: str | None) -> DatasetFacts:
    """Return what the service says about a dataset, or raise MissingDatasetError.

    The dataset that was made at the time `known` was filled before; for any other its import jobs are listed.
    """
    described = _describe(personalize, group, dataset)
    arn = described["datasetArn"]
    schema = personalize.describe(RESOURCES["schema"], described["schemaArn"])
    if schema is None:
        raise MissingDatasetError(f"the schema of {group}/{dataset}, {described['schemaArn']}, does not exist")
    filled = _is_filled(personalize, described, known)
    created = described["creationDateTime"].isoformat()
    return DatasetFacts(arn=arn, schema_text=schema["schema"], created=created, filled=filled)


class NoDataError(Exception):
    """A run would train without the data of a dataset that its request names."""


def is_filled(personalize: Personalize, group: str, dataset: str, known: str | None) -> bool:
    """Say whether an import of the dataset succeeded since it was created; `known` is as for `dataset_facts`."""
    return _is_filled(personalize, _describe(personalize, group, dataset), known)


def is_ready(personalize: Personalize, dataset_key: str) -> bool:
    """Say whether the dataset can be imported into."""
    group, _, dataset = dataset_key.partition("/")
    try:
        _describe(personalize, group, dataset)
    except MissingDatasetError:
        return False
    return True


def newest_training(personalize: Personalize, group: str) -> datetime | None:
    """Return when the group's newest solution version that works was made."""
    times = [
        version["creationDateTime"]
        for solution in personalize.summaries(RESOURCES["solution"], group_arn_of(personalize, group))
        for version in personalize.summaries(RESOURCES["solution_version"], solution["solutionArn"])
        if phase_of(version["status"]) is Phase.READY
    ]
    return max(times, default=None)


def _describe(personalize: Personalize, group: str, dataset: str) -> Mapping[str, Any]:
    row = RESOURCES["dataset"]
    named = {"datasetGroupArn": group_arn_of(personalize, group), "datasetType": dataset}
    described = personalize.describe(row, str(row.arn(personalize.arn_prefix, named)))
    if described is None:
        raise MissingDatasetError(f"the dataset {group}/{dataset} does not exist yet")
    if phase_of(described["status"]) is not Phase.READY:
        raise MissingDatasetError(f"the dataset {group}/{dataset} is {described['status']}")
    return described


def _is_filled(personalize: Personalize, described: Mapping[str, Any], known: str | None) -> bool:
    created = described["creationDateTime"]
    if known == created.isoformat():
        return True
    # Jobs of an earlier dataset of this name bear the same ARN; its rows went with it.
    jobs = personalize.summaries(RESOURCES["dataset_import_job"], described["datasetArn"])
    return any(phase_of(job["status"]) is Phase.READY and job["creationDateTime"] >= created for job in jobs)
