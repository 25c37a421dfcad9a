"""Check a whole request against the service before anything is created."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from lambdas.personalize.parameters import Problem, check_parameters
from lambdas.personalize.plan import Planner, Wish
from lambdas.personalize.request import BatchJob, Campaign, InvalidRequestError, Solution
from lambdas.personalize.resources import RESOURCES


class Service(Protocol):
    """What checking asks of the service's gateway: nothing of this creates or changes anything."""

    def input_shape(self, operation: str) -> Any:
        """Return the botocore shape of an operation's input."""

    def recipe_arns(self) -> Sequence[str]:
        """Return the ARNs of all recipes."""


def check_request(planner: Planner, service: Service) -> None:
    """Raise InvalidRequestError naming every service parameter in the request that the service would refuse."""
    problems = [*_import_problems(planner, service), *_solutions_problems(planner, service)]
    if problems:
        raise InvalidRequestError(problems)


def _import_problems(planner: Planner, service: Service) -> Iterator[Problem]:
    stage = planner.import_data()
    yield from _check(service, stage["group"], "$.datasetGroup")
    for dataset in stage["datasets"]:
        yield from _check(service, dataset["schema"], f"$.datasets.{dataset['name']}")
    paths = ["$.eventTracker"] if planner.request.event_tracker else []
    paths += [f"$.filters[{position}]" for position in range(len(planner.request.filters))]
    for path, wish in zip(paths, stage["extras"], strict=True):
        yield from _check(service, wish, path)


def _solutions_problems(planner: Planner, service: Service) -> Iterator[Problem]:
    recipes = service.recipe_arns() if planner.request.solutions else []
    for position, solution in enumerate(planner.request.solutions):
        path = f"$.solutions[{position}]"
        wish = planner.train_solution(solution)["solution"]
        yield from _recipe_problems(wish, path, recipes)
        yield from _check(service, wish, path, Solution.own_keys())
        yield from _deployment_problems(planner, service, solution, path)


def _recipe_problems(wish: Wish, path: str, recipes: Sequence[str]) -> Iterator[Problem]:
    recipe = wish["request"].get("recipeArn")
    if recipe and recipe not in recipes:
        known = ", ".join(arn.rpartition("/")[2] for arn in recipes)
        yield Problem(f"{path}.recipeArn", f"{recipe.rpartition('/')[2]!r} is no recipe; one of: {known}")


def _deployment_problems(planner: Planner, service: Service, solution: Solution, path: str) -> Iterator[Problem]:
    version = f"{planner.solution_arn(solution)}/a-version"
    for position, wish in enumerate(planner.update_campaign(solution, version)["campaigns"]):
        yield from _check(service, wish, f"{path}.campaigns[{position}]", Campaign.own_keys())
    keys = ("batchInferenceJobs", solution.batch_inference_jobs), ("batchSegmentJobs", solution.batch_segment_jobs)
    paths = [f"{path}.{key}[{position}]" for key, jobs in keys for position in range(len(jobs))]
    for job_path, wish in zip(paths, planner.run_batch_inference(solution, version)["jobs"], strict=True):
        yield from _check(service, wish, job_path, BatchJob.own_keys())


def _check(service: Service, wish: Wish, path: str, own_keys: Sequence[str] = ()) -> Iterator[Problem]:
    shape = service.input_shape(f"Create{RESOURCES[wish['type']].pascal}")
    return check_parameters(shape, wish["request"], path, own_keys)
