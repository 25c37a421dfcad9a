"""Expand a request to the plan: every resource to ensure, with its complete Create parameters."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdas.bucket_layout import batch_input_folder, results_folder
from lambdas.names import digest, ending_in, legal
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.request import BatchJob, Campaign, Dataset, NamedResource, Request, Solution

ResourceSpec = dict[str, Any]  # the input of ensure_resource: {"type", "request"}

_LONGEST_NAME: Final = 63


@dataclass(frozen=True)
class AccountContext:
    """Where the group lives: ``arn:<partition>:personalize:<region>:<account>``, its files, and who may read them."""

    arn_prefix: str
    bucket: str
    role_arn: str


def unique_name(*parts: str) -> str:
    """Return the parts as one name the service accepts, shortened by a digest when they are too long."""
    name = legal("-".join(parts))
    return name if len(name) <= _LONGEST_NAME else ending_in(name, f"-{digest(name, 8)}", _LONGEST_NAME)


class Planner:
    """The maker of plans: expands the stages of one request.

    `run` is the name that jobs and versions of this run share.
    """

    def __init__(self, request: Request, run: str, account: AccountContext) -> None:
        self.request = request
        self.run = run
        self._account = account
        self.group = request.dataset_group.name
        self._group_arn = self._arn("dataset_group", {"name": self.group})

    @property
    def bucket(self) -> str:
        """The bucket that the group's files are in."""
        return self._account.bucket

    def import_data(self) -> dict[str, Any]:
        """Return what the import stage ensures: the group, each dataset with its schema, then what needs datasets."""
        trackers = [self.request.event_tracker] if self.request.event_tracker else []
        return {
            "group": self._spec("dataset_group", self.request.dataset_group.model_dump(by_alias=True)),
            "onMissingData": self.request.on_missing_data,
            "datasets": [self._dataset(name) for name in self.request.datasets],
            "extras": [
                *(self._named("event_tracker", tracker) for tracker in trackers),
                *(self._named("filter", wanted) for wanted in self.request.filters),
            ],
        }

    def train_solution(self, solution: Solution) -> dict[str, Any]:
        """Return the solution, what decides about training a version of it, and what its metrics are judged by."""
        parameters = {"performAutoTraining": False, **solution.parameters}
        if solution.recipe_arn:
            parameters["recipeArn"] = self._recipe_arn(solution.recipe_arn)
        campaigns = [self._arn("campaign", {"name": campaign.name}) for campaign in solution.campaigns]
        return {
            "datasetGroup": self.group,
            "run": self.run,
            "solution": self._spec(
                "solution", {"name": solution.name, "datasetGroupArn": self._group_arn, **parameters}
            ),
            "training": {
                "train": self.request.train,
                "mode": solution.training_mode,
                "full_every_days": solution.full_every_days,
            },
            "gates": [gate.model_dump(by_alias=True) for gate in solution.gates],
            "campaignArns": campaigns,
        }

    def update_campaign(self, solution: Solution, solution_version_arn: str) -> dict[str, Any]:
        """Return the campaigns that shall serve the version."""
        campaigns = [self._campaign(solution, campaign, solution_version_arn) for campaign in solution.campaigns]
        return {"campaigns": [self._spec("campaign", parameters) for parameters in campaigns]}

    def _campaign(self, solution: Solution, campaign: Campaign, solution_version_arn: str) -> dict[str, Any]:
        parameters = {"name": campaign.name, "solutionVersionArn": solution_version_arn, **campaign.parameters}
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
        return self._arn("solution", {"name": solution.name})

    def _dataset(self, name: str) -> dict[str, Any]:
        dataset = self.request.datasets[name]  # type: ignore[index]  # checked by the model
        schema = {"schemaArn": dataset.schema_arn} if dataset.schema_arn else self._schema(name, dataset)
        request = {
            "name": dataset.name or unique_name(self.group, name),
            "datasetGroupArn": self._group_arn,
            "datasetType": name.upper(),
            "schemaArn": self._arn("schema", schema),
        }
        return {"name": name, "schema": self._spec("schema", schema), "dataset": self._spec("dataset", request)}

    def _schema(self, name: str, dataset: Dataset) -> dict[str, Any]:
        """Return CreateSchema's parameters. A schema never changes, so its name carries a digest of its text."""
        text = json.dumps(dataset.avro or _avro(name, dataset.columns or {}))
        domain = self.request.dataset_group.parameters.get("domain")
        return {
            "name": unique_name(self.group, name, digest(text, 8)),
            "schema": text,
            **({"domain": domain} if domain else {}),
        }

    def _named(self, noun: str, wanted: NamedResource) -> ResourceSpec:
        request = {"name": wanted.name, "datasetGroupArn": self._group_arn, **wanted.parameters}
        return {**self._spec(noun, request), "replace": wanted.replace}

    def _batch_job(self, noun: str, job: BatchJob, solution_version_arn: str, path: str | None) -> ResourceSpec:
        bucket = self._account.bucket
        source = path or f"s3://{bucket}/{batch_input_folder(self.group, job.template)}"
        destination = f"s3://{bucket}/{results_folder(self.group, job.template, self.run)}"
        parameters = {
            "jobInput": {"s3DataSource": {"path": source}},
            "jobOutput": {"s3DataDestination": {"path": destination}},
            "roleArn": self._account.role_arn,
            **job.parameters,
        }
        if "filterArn" in parameters and not parameters["filterArn"].startswith("arn:"):
            parameters["filterArn"] = self._arn("filter", {"name": parameters["filterArn"]})
        name = unique_name(job.template, self.run)
        return self._spec(noun, {"jobName": name, "solutionVersionArn": solution_version_arn, **parameters})

    def _recipe_arn(self, recipe: str) -> str:
        if recipe.startswith("arn:"):
            return recipe
        partition = self._account.arn_prefix.split(":")[1]
        return f"arn:{partition}:personalize:::recipe/{recipe}"

    def _arn(self, noun: str, request: Mapping[str, Any]) -> str:
        return str(RESOURCES[noun].arn(self._account.arn_prefix, request))

    @staticmethod
    def _spec(noun: str, request: Mapping[str, Any]) -> ResourceSpec:
        return {"type": noun, "request": dict(request)}


def _avro(name: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name.title().replace("_", ""),
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": column, **(kind if isinstance(kind, dict) else {"type": kind})} for column, kind in columns.items()
        ],
        "version": "1.0",
    }


def batch_jobs(solution: Solution) -> Iterator[tuple[str, BatchJob]]:
    """Yield the solution's batch jobs, each with the noun of its type."""
    yield from (("batch_inference_job", job) for job in solution.batch_inference_jobs)
    yield from (("batch_segment_job", job) for job in solution.batch_segment_jobs)
