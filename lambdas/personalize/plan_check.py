"""Check a whole request against the service before anything is created."""

from collections.abc import Iterator, Sequence

from lambdas.file_checks.schema_limits import schema_faults
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.parameters import Problem, check_parameters
from lambdas.personalize.plan import Planner, ResourceSpec
from lambdas.personalize.request import BatchJob, Campaign, InvalidRequestError, Solution
from lambdas.personalize.resources import RESOURCES


def check_request(planner: Planner, personalize: Personalize) -> None:
    """Raise InvalidRequestError naming every service parameter in the request that the service would refuse."""
    problems = [*_import_problems(planner, personalize), *_solutions_problems(planner, personalize)]
    if problems:
        raise InvalidRequestError(problems)


def _import_problems(planner: Planner, personalize: Personalize) -> Iterator[Problem]:
    stage = planner.import_data()
    yield from _check(personalize, stage["group"], "$.datasetGroup")
    for dataset in stage["datasets"]:
        path = f"$.datasets.{dataset['name']}"
        yield from _check(personalize, dataset["schema"], path)
        for column, advice in schema_faults(dataset["name"], planner.request.datasets[dataset["name"]].columns):
            yield Problem(f"{path}.columns{column and f'.{column}'}", advice)
    paths = ["$.eventTracker"] if planner.request.event_tracker else []
    paths += [f"$.filters[{position}]" for position in range(len(planner.request.filters))]
    for path, spec in zip(paths, stage["extras"], strict=True):
        yield from _check(personalize, spec, path)


def _solutions_problems(planner: Planner, personalize: Personalize) -> Iterator[Problem]:
    recipes = personalize.recipe_arns() if planner.request.solutions else []
    for position, solution in enumerate(planner.request.solutions):
        path = f"$.solutions[{position}]"
        spec = planner.train_solution(solution)["solution"]
        yield from _recipe_problems(spec, path, recipes)
        yield from _check(personalize, spec, path, Solution.own_keys())
        yield from _deployment_problems(planner, personalize, solution, path)


def _recipe_problems(spec: ResourceSpec, path: str, recipes: Sequence[str]) -> Iterator[Problem]:
    recipe = spec["request"].get("recipeArn")
    if recipe and recipe not in recipes:
        known = ", ".join(arn.rpartition("/")[2] for arn in recipes)
        yield Problem(f"{path}.recipeArn", f"{recipe.rpartition('/')[2]!r} is no recipe; one of: {known}")


def _deployment_problems(
    planner: Planner, personalize: Personalize, solution: Solution, path: str
) -> Iterator[Problem]:
    version = f"{planner.solution_arn(solution)}/a-version"
    for position, spec in enumerate(planner.update_campaign(solution, version)["campaigns"]):
        yield from _check(personalize, spec, f"{path}.campaigns[{position}]", Campaign.own_keys())
    keys = ("batchInferenceJobs", solution.batch_inference_jobs), ("batchSegmentJobs", solution.batch_segment_jobs)
    paths = [f"{path}.{key}[{position}]" for key, jobs in keys for position in range(len(jobs))]
    for job_path, spec in zip(paths, planner.run_batch_inference(solution, version)["jobs"], strict=True):
        yield from _check(personalize, spec, job_path, BatchJob.own_keys())


def _check(personalize: Personalize, spec: ResourceSpec, path: str, own_keys: Sequence[str] = ()) -> Iterator[Problem]:
    shape = personalize.input_shape(f"Create{RESOURCES[spec['type']].pascal}")
    return check_parameters(shape, spec["request"], path, own_keys)
