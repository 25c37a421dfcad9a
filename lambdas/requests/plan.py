"""Expand a request to the plan: every resource to ensure, with its complete Create parameters."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lambdas.bucket_layout import DatasetName, batch_input_folder, results_folder
from lambdas.names import digest
from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.avro_schema import avro_record
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.inherited_key import encrypted_files, encrypted_group, encrypted_metrics, overlaid
from lambdas.requests.request import (
    BatchJob,
    Campaign,
    Dataset,
    DeletionJob,
    ExportJob,
    NamedResource,
    Recommender,
    Request,
    Solution,
)
from lambdas.requests.sections import PassThroughSection

ResourceSpec = dict[str, Any]  # the input of ensure_resource: {"type", "request"}


class Extra(NamedTuple):
    """What a group has beside its datasets and solutions: where the request says so, and what to ensure."""

    path: str
    section: PassThroughSection
    spec: ResourceSpec


class Planner:
    """The maker of plans: expands the stages of one request.

    `run` is the name that jobs and versions of this run share. What it names has the stage's names in the plan.
    """

    def __init__(self, request: Request, run: str, account: AccountContext) -> None:
        self.request = request
        self.run = run
        self._account = account
        self.group = request.dataset_group.name
        self._group_arn = self._arn("dataset_group", {"name": self._asked(self.group)})

    @property
    def bucket(self) -> str:
        """The bucket that the group's files are in."""
        return self._account.bucket

    @property
    def role_arn(self) -> str:
        """The role that the service is handed."""
        return self._account.role_arn

    def import_data(self) -> dict[str, Any]:
        """Return what the import stage ensures: the group, each dataset with its schema, then what needs datasets."""
        group = self.request.dataset_group.model_dump(by_alias=True)
        group = encrypted_group(group, self._account.kms_key_arn, self._account.role_arn)
        return {
            "datasetGroup": self.group,
            "group": self._spec("dataset_group", {**group, "name": self._asked(self.group)}),
            "onMissingData": self.request.on_missing_data,
            "datasets": [self._dataset(name) for name in self.request.datasets],
            "extras": [extra.spec for extra in self.extras()],
        }

    def extras(self) -> Iterator[Extra]:
        """Yield what the import stage ensures once the data is there."""
        request = self.request
        for noun, key, sole in (
            ("event_tracker", "eventTracker", request.event_tracker),
            ("metric_attribution", "metricAttribution", request.metric_attribution),
        ):
            if sole:
                yield Extra(f"$.{key}", sole, self._named(noun, sole))
        for position, wanted in enumerate(request.filters):
            yield Extra(f"$.filters[{position}]", wanted, self._named("filter", wanted))
        for position, recommender in enumerate(request.recommenders):
            yield Extra(f"$.recommenders[{position}]", recommender, self._recommender(recommender))
        for position, export in enumerate(request.dataset_export_jobs):
            yield Extra(f"$.datasetExportJobs[{position}]", export, self._export_job(export))
        for position, deletion in enumerate(request.data_deletion_jobs):
            yield Extra(f"$.dataDeletionJobs[{position}]", deletion, self._deletion_job(deletion))

    def train_solution(self, solution: Solution) -> dict[str, Any]:
        """Return the solution, what decides about training a version of it, and what its metrics are judged by."""
        parameters = {"performAutoTraining": False, **solution.parameters}
        if solution.recipe_arn:
            parameters["recipeArn"] = self._recipe_arn(solution.recipe_arn)
        campaigns = [self._arn("campaign", {"name": self._asked(campaign.name)}) for campaign in solution.campaigns]
        return {
            "datasetGroup": self.group,
            "run": self.run,
            "name": solution.name,
            "solution": self._spec(
                "solution", {"name": self._asked(solution.name), "datasetGroupArn": self._group_arn, **parameters}
            ),
            "training": {
                "train": self.request.train,
                "mode": solution.training_mode,
                "full_every_days": solution.full_every_days,
                "after_put_events": self.request.train_after_put_events,
            },
            "versionOptions": self._version_options(solution),
            "trainingHoursPerMonth": budget.training_hours_per_month if (budget := self.request.budget) else None,
            "gates": [gate.model_dump(by_alias=True) for gate in solution.gates],
            "campaignArns": campaigns,
        }

    def update_campaign(self, solution: Solution, solution_version_arn: str) -> dict[str, Any]:
        """Return the campaigns that shall serve the version."""
        campaigns = [self._campaign(solution, campaign, solution_version_arn) for campaign in solution.campaigns]
        return {"campaigns": [self._spec("campaign", parameters) for parameters in campaigns]}

    def _campaign(self, solution: Solution, campaign: Campaign, solution_version_arn: str) -> dict[str, Any]:
        name = self._asked(campaign.name)
        parameters = {"name": name, "solutionVersionArn": solution_version_arn, **campaign.parameters}
        if solution.gates:
            # A campaign that somebody lets follow the newest version would serve what the gates keep back.
            config = parameters.get("campaignConfig", {})
            parameters["campaignConfig"] = {"syncWithLatestSolutionVersion": False, **config}
        return parameters

    def run_batch_inference(
        self, solution: Solution, solution_version_arn: str, template: str | None = None, path: str | None = None
    ) -> dict[str, Any]:
        """Return the batch jobs of the solution, or the one of `template`, reading `path` when it is given."""
        jobs = [
            self._batch_job(noun, job, solution_version_arn, path)
            for noun, job in batch_jobs(solution)
            if template in (None, job.template)
        ]
        return {"jobs": jobs}

    def solution_arn(self, solution: Solution) -> str:
        """Return the ARN the solution has or will have."""
        return self._arn("solution", {"name": self._asked(solution.name)})

    def _dataset(self, name: DatasetName) -> dict[str, Any]:
        dataset = self.request.datasets[name]
        schema = {"schemaArn": dataset.schema_arn} if dataset.schema_arn else self._schema(name, dataset)
        request: dict[str, Any] = {
            "name": self._asked(dataset.name) if dataset.name else self._made(self.group, name),
            "datasetGroupArn": self._group_arn,
            "datasetType": name.upper(),
            "schemaArn": self._arn("schema", schema),
        }
        if dataset.tags is not None:
            request["tags"] = dataset.tags
        return {"name": name, "schema": self._spec("schema", schema), "dataset": self._spec("dataset", request)}

    def _schema(self, name: str, dataset: Dataset) -> dict[str, Any]:
        """Return CreateSchema's parameters. A schema never changes, so its name carries a digest of its text."""
        text = json.dumps(dataset.avro or avro_record(name, dataset.columns or {}))
        domain = self.request.dataset_group.parameters.get("domain")
        return {
            "name": self._made(self.group, name, digest(text, 8)),
            "schema": text,
            **({"domain": domain} if domain else {}),
        }

    def _named(self, noun: str, wanted: NamedResource) -> ResourceSpec:
        parameters = dict(wanted.parameters)
        if noun == "metric_attribution" and isinstance(output := parameters.get("metricsOutputConfig", {}), Mapping):
            key_arn, role_arn = self._account.kms_key_arn, self._account.role_arn
            parameters["metricsOutputConfig"] = encrypted_metrics(output, key_arn, role_arn)
        request = {"name": self._asked(wanted.name), "datasetGroupArn": self._group_arn, **parameters}
        return self._extra(noun, request, replace=wanted.replace)

    def _recommender(self, wanted: Recommender) -> ResourceSpec:
        request = {"name": self._asked(wanted.name), "datasetGroupArn": self._group_arn, **wanted.parameters}
        request["recipeArn"] = self._recipe_arn(wanted.recipe_arn)
        timetabled = any(schedule.recommender == wanted.name for schedule in self.request.schedules)
        return self._extra("recommender", request, active=None if timetabled else wanted.active)

    def _deletion_job(self, job: DeletionJob) -> ResourceSpec:
        fixed = {"datasetGroupArn": self._group_arn, "roleArn": self._account.role_arn}
        return self._extra("data_deletion_job", {"jobName": self._asked(job.job_name), **fixed, **job.parameters})

    def _export_job(self, job: ExportJob) -> ResourceSpec:
        folder = results_folder(self.group, "exports", job.job_name)
        request = {
            "jobName": self._asked(job.job_name),
            "datasetArn": self._arn("dataset", {"datasetGroupArn": self._group_arn, "datasetType": job.dataset}),
            "roleArn": self._account.role_arn,
            "jobOutput": {"s3DataDestination": self._files(f"s3://{self._account.bucket}/{folder}")},
        }
        return self._extra("dataset_export_job", overlaid(request, job.parameters))

    def _files(self, path: str) -> dict[str, str]:
        return encrypted_files(path, self._account.kms_key_arn)

    def _extra(
        self, noun: str, request: Mapping[str, Any], *, replace: bool = False, active: bool | None = True
    ) -> ResourceSpec:
        name = request[RESOURCES[noun].name_key]
        return {**self._spec(noun, request), "name": name, "replace": replace, "active": active}

    def _version_options(self, solution: Solution) -> dict[str, Any]:
        tags = {} if solution.version_tags is None else {"tags": solution.version_tags}
        return self._tagged("solution_version", tags)

    def _batch_job(self, noun: str, job: BatchJob, solution_version_arn: str, path: str | None) -> ResourceSpec:
        bucket = self._account.bucket
        source = path or f"s3://{bucket}/{batch_input_folder(self.group, job.template)}"
        destination = f"s3://{bucket}/{results_folder(self.group, job.template, self.run)}"
        computed = {
            "jobInput": {"s3DataSource": self._files(source)},
            "jobOutput": {"s3DataDestination": self._files(destination)},
            "roleArn": self._account.role_arn,
        }
        parameters = overlaid(computed, job.parameters)
        if "filterArn" in parameters and not parameters["filterArn"].startswith("arn:"):
            parameters["filterArn"] = self._arn("filter", {"name": self._asked(parameters["filterArn"])})
        name = self._made(job.template, self.run)
        return self._spec(noun, {"jobName": name, "solutionVersionArn": solution_version_arn, **parameters})

    def _recipe_arn(self, recipe: str) -> str:
        if recipe.startswith("arn:"):
            return recipe
        partition = self._account.arn_prefix.split(":")[1]
        return f"arn:{partition}:personalize:::recipe/{recipe}"

    def _asked(self, name: str) -> str:
        return self._account.names.asked(name, self.group)

    def _made(self, *parts: str) -> str:
        return self._account.names.made(*parts)

    def _arn(self, noun: str, request: Mapping[str, Any]) -> str:
        return str(RESOURCES[noun].arn(self._account.arn_prefix, request))

    def _spec(self, noun: str, request: Mapping[str, Any]) -> ResourceSpec:
        return {"type": noun, "request": self._tagged(noun, request)}

    def _tagged(self, noun: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with the group's tags, where they have none of their own and the type takes any."""
        tags = self.request.dataset_group.parameters.get("tags")
        inherits = tags and RESOURCES[noun].taggable and "tags" not in request
        return {**request, "tags": tags} if inherits else dict(request)


def batch_jobs(solution: Solution) -> Iterator[tuple[str, BatchJob]]:
    """Yield the solution's batch jobs, each with the noun of its type."""
    yield from (("batch_inference_job", job) for job in solution.batch_inference_jobs)
    yield from (("batch_segment_job", job) for job in solution.batch_segment_jobs)
