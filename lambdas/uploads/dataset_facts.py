"""The gateway to Personalize, for what an import must know: the dataset's schema, and whether it was filled before."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class DatasetFacts(BaseModel):
    """What the service says about a dataset."""

    model_config = ConfigDict(frozen=True)

    arn: str
    schema_text: str
    filled: bool  # an import of it succeeded since it was created: the next one may be INCREMENTAL


class MissingDatasetError(Exception):
    """The dataset cannot be imported into yet; the text says why."""


class Datasets:
    """Asks the service about datasets."""

    def __init__(self, client: Any, arn_prefix: str) -> None:
        self._client = client
        self._arn_prefix = arn_prefix

    def facts(self, group: str, dataset: str) -> DatasetFacts:
        """Return what the service says about a dataset, or raise MissingDatasetError."""
        found = self._described(group, dataset)
        arn = found["datasetArn"]
        schema = self._client.describe_schema(schemaArn=found["schemaArn"])["schema"]["schema"]
        return DatasetFacts(arn=arn, schema_text=schema, filled=self._is_filled(arn, found["creationDateTime"]))

    def is_ready(self, lane: str) -> bool:
        """Say whether the dataset can be imported into."""
        group, _, dataset = lane.partition("/")
        try:
            self._described(group, dataset)
        except MissingDatasetError:
            return False
        return True

    def _described(self, group: str, dataset: str) -> dict[str, Any]:
        arn = f"{self._arn_prefix}:dataset/{group}/{dataset.upper()}"
        try:
            found: dict[str, Any] = self._client.describe_dataset(datasetArn=arn)["dataset"]
        except self._client.exceptions.ResourceNotFoundException as error:
            raise MissingDatasetError(f"the dataset {group}/{dataset} does not exist yet") from error
        if found["status"] != "ACTIVE":
            raise MissingDatasetError(f"the dataset {group}/{dataset} is {found['status']}")
        return found

    def newest_training(self, group: str) -> datetime | None:
        """Return when the group's newest solution version that works was made."""
        group_arn = f"{self._arn_prefix}:dataset-group/{group}"
        times = [
            version["creationDateTime"]
            for solution in self._pages("list_solutions", "solutions", datasetGroupArn=group_arn)
            for version in self._pages(
                "list_solution_versions", "solutionVersions", solutionArn=solution["solutionArn"]
            )
            if version["status"] == "ACTIVE"
        ]
        return max(times, default=None)

    def _is_filled(self, arn: str, created: datetime) -> bool:
        # Jobs of an earlier dataset of this name bear the same ARN; its rows went with it.
        jobs = self._pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=arn)
        return any(job["status"] == "ACTIVE" and job["creationDateTime"] >= created for job in jobs)

    def _pages(self, operation: str, member: str, **arguments: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator(operation).paginate(**arguments)
        return [entry for page in pages for entry in page[member]]
