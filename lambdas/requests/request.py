"""Define the request: what is to be built, as ``requests/<group>.json`` or an execution's input says it.

Our own keys are modelled here. Everything else in a dataset group, solution, campaign, filter, event tracker or batch
job is a parameter of the service's Create operation under boto3's name, passed on verbatim; `parameters` checks it
against the installed botocore model, so that a new service field needs no change here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lambdas.bucket_layout import DatasetName
from lambdas.personalize.avro_schema import columns_declared
from lambdas.requests.budget import Budget, IdlePolicy
from lambdas.requests.parameters import Problem
from lambdas.requests.schedules.schedule import Schedule
from lambdas.requests.sections import Name, PassThroughSection, StrictSection, Training, TrainingMode


class InvalidRequestError(ValueError):
    """The request cannot be planned.

    `readable` is what is left of it without the parts that our own model refuses: the rest can be checked all the same,
    so that every error is told at once.
    """

    def __init__(self, problems: list[Problem], readable: "Request | None" = None) -> None:
        self.problems = problems
        self.readable = readable
        lines = [f"{problem.path}: {problem.text}" for problem in problems]
        super().__init__("\n".join([f"The request has {len(lines)} error(s):", *lines]))


class DatasetGroup(PassThroughSection):
    """Parameters of CreateDatasetGroup."""

    name: Name


class ImportJob(PassThroughSection):
    """Parameters of CreateDatasetImportJob, for every import of one dataset."""


class Dataset(StrictSection):
    """One dataset of a request: the columns of its files, or the schema that declares them."""

    columns: dict[str, Any] | None = Field(
        default=None,
        min_length=1,
        description="Column name to Avro type ('string', ['null', 'float'], …) or to the attributes of an Avro field "
        "({'type': 'string', 'categorical': true}).",
    )
    avro: dict[str, Any] | None = Field(
        default=None, alias="schema", description="In place of columns: a whole Avro document."
    )
    schema_arn: str | None = Field(default=None, description="In place of columns: the ARN of a schema that exists.")
    name: Name | None = Field(default=None, description="A dataset that exists is used whatever its name.")
    tags: list[dict[str, Any]] | None = Field(default=None, description="In place of the dataset group's.")
    import_job: ImportJob = ImportJob()

    @model_validator(mode="after")
    def _is_declared_once(self) -> "Dataset":
        ways = {"columns": self.columns, "schema": self.avro, "schemaArn": self.schema_arn}
        if sum(value is not None for value in ways.values()) != 1:
            raise ValueError(f"give one of {', '.join(ways)}")
        return self

    @property
    def declared_columns(self) -> dict[str, Any] | None:
        """The columns, from wherever the request has them; None when only the service knows."""
        return self.columns if self.avro is None else columns_declared(self.avro)


class Gate(StrictSection):
    """A condition on an offline metric; a version that misses one is not deployed."""

    metric: str
    minimum: float | None = None
    largest_drop_percent: float | None = Field(
        default=None, ge=0, description="How much lower than the deployed version's it may be."
    )


class BatchJob(PassThroughSection):
    """Parameters of CreateBatchInferenceJob or CreateBatchSegmentJob; `template` names it and its input folder."""

    template: Name


class Campaign(PassThroughSection):
    """Parameters of CreateCampaign."""

    name: Name

    @property
    def follows_newest(self) -> bool:
        """Whether the service itself brings the campaign to each new version, whatever gates say."""
        config = self.parameters.get("campaignConfig")
        synced = isinstance(config, Mapping) and config.get("syncWithLatestSolutionVersion")
        return bool(synced) or str(self.parameters.get("solutionVersionArn", "")).endswith("/$LATEST")


class Solution(PassThroughSection):
    """Parameters of CreateSolution, and what follows from it."""

    name: Name
    recipe_arn: str | None = Field(default=None, description="A recipe's ARN, or just its name.")
    training_mode: TrainingMode = Field(
        default="FULL",
        description="UPDATE continues the newest FULL version, where there is one and the recipe can; else FULL it is.",
    )
    full_every_days: float | None = Field(
        default=None, gt=0, description="With UPDATE: how old the newest FULL version may become."
    )
    version_tags: list[dict[str, Any]] | None = Field(
        default=None, description="Tags of the versions to come, in place of the dataset group's."
    )
    gates: tuple[Gate, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    batch_inference_jobs: tuple[BatchJob, ...] = ()
    batch_segment_jobs: tuple[BatchJob, ...] = ()


class NamedResource(PassThroughSection):
    """Parameters of a Create operation that has a name: an event tracker, a filter or a metric attribution."""

    name: Name
    replace: bool = Field(
        default=False, description="Whether it is deleted and made anew when the service cannot change it as asked."
    )


class Recommender(PassThroughSection):
    """Parameters of CreateRecommender."""

    name: Name
    recipe_arn: str = Field(description="A recipe's ARN, or just its name.")
    active: bool = Field(default=True, description="Whether it serves; a stopped one costs nothing and is kept.")


class ExportJob(PassThroughSection):
    """Parameters of CreateDatasetExportJob. A job is done once: another export is a job of another name."""

    job_name: Name
    dataset: DatasetName


class DeletionJob(PassThroughSection):
    """Parameters of CreateDataDeletionJob. A job is done once: another deletion is a job of another name."""

    job_name: Name


class UploadPolicy(StrictSection):
    """What happens to uploaded files that are not perfect."""

    bad_rows: Literal["REJECT", "DROP"] = Field(
        default="REJECT", description="Whether a bad row rejects its file, or is left out of the import."
    )
    on_failed_import: Literal["SET_BACK", "REJECT"] = Field(
        default="SET_BACK", description="Whether the files of a failed import job wait for another try."
    )
    uncertain: Literal["REJECT", "IMPORT"] = Field(
        default="REJECT",
        description="What happens to a file that the service was seen to import against its guide: an empty or odd "
        "cell in a plain int or long column, a header in quotes or in another case than the schema.",
    )
    attempts: int = Field(default=3, ge=1, le=10, description="How many import jobs a file may fail with.")
    quote_cells: bool = Field(
        default=True, description="Whether reports and reasons quote what is bad; a stage with redact_cells never does."
    )


class RetrainPolicy(StrictSection):
    """When finished imports start the pipeline by themselves: every condition that is given must hold."""

    rows_since: int = Field(default=1, ge=1, description="Rows imported since the newest solution version was made.")
    minimum_age_hours: float = Field(default=0, ge=0, description="How old the newest solution version must be.")
    not_before: datetime | None = Field(default=None, description="No training starts before this moment.")
    blackout_hours_utc: tuple[Annotated[int, Field(ge=0, le=23)], ...] = Field(
        default=(), description="Hours of the day (UTC) in which no training starts."
    )


class Request(StrictSection):
    """Everything that is wanted for one dataset group."""

    dataset_group: DatasetGroup
    datasets: dict[DatasetName, Dataset] = Field(min_length=1)
    event_tracker: NamedResource | None = None
    metric_attribution: NamedResource | None = None
    filters: tuple[NamedResource, ...] = ()
    recommenders: tuple[Recommender, ...] = ()
    dataset_export_jobs: tuple[ExportJob, ...] = ()
    data_deletion_jobs: tuple[DeletionJob, ...] = ()
    solutions: tuple[Solution, ...] = ()
    train: Training = Field(
        default="WHEN_NEEDED",
        description="WHEN_NEEDED trains a version when data or configuration changed since the newest one was trained.",
    )
    train_after_put_events: int | None = Field(
        default=None,
        ge=1,
        description="How many PutEvents requests since the newest version make a training due. CloudWatch counts them, "
        "to the hour; without this, streamed events alone train nothing.",
    )
    uploads: UploadPolicy = UploadPolicy()
    retrain: RetrainPolicy | None = None
    schedules: tuple[Schedule, ...] = ()
    budget: Budget | None = None
    idle: IdlePolicy | None = IdlePolicy()
    freshness_hours: float | None = Field(
        default=None, gt=0, description="How old a model may be that serves, since its training began; then it is told."
    )
    on_missing_data: Literal["WARN", "FAIL"] = Field(
        default="WARN", description="What a run does about datasets that no file was ever imported for."
    )

    def import_job_options(self, name: DatasetName) -> dict[str, Any]:
        """Return what every import job of a dataset is asked beside its files; it has its dataset's tags."""
        dataset = self.datasets[name]
        tags = self.dataset_group.parameters.get("tags") if dataset.tags is None else dataset.tags
        return {**({"tags": tags} if tags else {}), **dataset.import_job.parameters}

    @model_validator(mode="before")
    @classmethod
    def _group_by_name(cls, value: Any) -> Any:
        """Let ``"datasetGroup": "movies"`` stand for ``"datasetGroup": {"name": "movies"}``."""
        if isinstance(value, Mapping) and isinstance(value.get("datasetGroup"), str):
            return {**value, "datasetGroup": {"name": value["datasetGroup"]}}
        return value

    @model_validator(mode="after")
    def _exported_datasets_are_there(self) -> "Request":
        if missing := sorted({job.dataset for job in self.dataset_export_jobs} - set(self.datasets)):
            raise ValueError(f"datasetExportJobs name datasets that the request does not have: {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Request":
        campaigns = [campaign.name for solution in self.solutions for campaign in solution.campaigns]
        templates = [job.template for s in self.solutions for job in (*s.batch_inference_jobs, *s.batch_segment_jobs)]
        groups = {
            "solutions": [solution.name for solution in self.solutions],
            "campaigns": campaigns,
            "batch templates": templates,
            "filters": [wanted.name for wanted in self.filters],
            "recommenders": [wanted.name for wanted in self.recommenders],
            "export jobs": [job.job_name for job in self.dataset_export_jobs],
            "deletion jobs": [job.job_name for job in self.data_deletion_jobs],
            "schedules": [schedule.name for schedule in self.schedules],
        }
        for what, names in groups.items():
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"two {what} are called {', '.join(twice)}")
        return self
