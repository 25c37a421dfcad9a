"""Check a whole request against the service before anything is created."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lambdas.file_checks.schema_limits import schema_faults
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.existing_schemas import schema_fault
from lambdas.requests.parameters import Problem, check_parameters
from lambdas.requests.plan import Planner, ResourceSpec
from lambdas.requests.recipe_facts import known_metrics
from lambdas.requests.request import (
    BatchJob,
    Campaign,
    Dataset,
    DeletionJob,
    ExportJob,
    ImportJob,
    InvalidRequestError,
    NamedResource,
    Recommender,
    Solution,
)
from lambdas.requests.schedules.planned_schedules import schedule_problems
from lambdas.requests.sections import PassThroughSection
from lambdas.requests.stage_check import foreign_names

# What the plan computes: a request that said otherwise would be at odds with itself, at the latest in its second run.
_OURS: Final[Mapping[type[PassThroughSection], tuple[str, ...]]] = {
    Solution: ("datasetGroupArn",),
    Campaign: ("solutionVersionArn",),
    BatchJob: ("jobName", "solutionVersionArn", "roleArn"),
    NamedResource: ("datasetGroupArn",),
    Recommender: ("datasetGroupArn",),
    ImportJob: ("jobName", "datasetArn", "dataSource", "roleArn", "importMode"),
    ExportJob: ("datasetArn", "roleArn"),
    DeletionJob: ("datasetGroupArn", "roleArn"),
}


def check_request(planner: Planner, personalize: Personalize) -> None:
    """Raise InvalidRequestError naming everything in the request that the service, or a run, would refuse."""
    if problems := request_problems(planner, personalize):
        raise InvalidRequestError(problems)


def request_problems(planner: Planner, personalize: Personalize) -> list[Problem]:
    """Return everything in the request that the service, or a run, would refuse."""
    return [
        *_import_problems(planner, personalize),
        *_solutions_problems(planner, personalize),
        *schedule_problems(planner.request),
    ]


def _import_problems(planner: Planner, personalize: Personalize) -> Iterator[Problem]:
    stage, request = planner.import_data(), planner.request
    yield from _check(personalize, stage["group"], "$.datasetGroup")
    for dataset in stage["datasets"]:
        path = f"$.datasets.{dataset['name']}"
        yield from _schema_problems(personalize, request.datasets[dataset["name"]], dataset, path)
        yield from _check(personalize, dataset["dataset"], path)
        if fault := schema_fault(dataset, personalize):
            yield Problem(path, f"the dataset exists with another schema: {fault}")
        yield from _import_job_problems(planner, personalize, dataset, path)
    for extra in planner.extras():
        yield from _check_section(personalize, extra.section, extra.spec, extra.path)
    yield from _recommender_problems(planner, personalize)


def _import_job_problems(
    planner: Planner, personalize: Personalize, dataset: Mapping[str, Any], path: str
) -> Iterator[Problem]:
    section = planner.request.datasets[dataset["name"]].import_job
    arn = RESOURCES["dataset"].arn(personalize.arn_prefix, dataset["dataset"]["request"])
    name = personalize.names.made("a-job")
    computed: dict[str, Any] = {"jobName": name, "datasetArn": arn, "dataSource": {}, "roleArn": planner.role_arn}
    request = {**planner.request.import_job_options(dataset["name"]), **computed}
    spec = {"type": "dataset_import_job", "request": request}
    yield from _check_section(personalize, section, spec, f"{path}.importJob")


def _recommender_problems(planner: Planner, personalize: Personalize) -> Iterator[Problem]:
    recipes = personalize.recipe_arns() if planner.request.recommenders else []
    for extra in planner.extras():
        if extra.spec["type"] == "recommender":
            yield from _recipe_problems(extra.spec, extra.path, recipes)


def _schema_problems(
    personalize: Personalize, section: Dataset, planned: Mapping[str, Any], path: str
) -> Iterator[Problem]:
    if section.schema_arn:
        if not personalize.names.covers_arn(section.schema_arn, personalize.arn_prefix):
            return  # told with the dataset, which names it
        if personalize.describe(RESOURCES["schema"], section.schema_arn) is None:
            yield Problem(f"{path}.schemaArn", f"there is no schema {section.schema_arn}")
        return
    yield from _check(personalize, planned["schema"], path)
    columns = section.declared_columns
    if columns is None:
        yield Problem(f"{path}.schema", "is no Avro record: it has a list of fields, each with a name and a type")
        return
    where = f"{path}.schema" if section.avro else f"{path}.columns"
    for column, advice in schema_faults(planned["name"], columns):
        yield Problem(f"{where}{column and f'.{column}'}", advice)


def _solutions_problems(planner: Planner, personalize: Personalize) -> Iterator[Problem]:
    recipes = personalize.recipe_arns() if planner.request.solutions else []
    for position, solution in enumerate(planner.request.solutions):
        path = f"$.solutions[{position}]"
        spec = planner.train_solution(solution)["solution"]
        yield from _recipe_problems(spec, path, recipes)
        yield from _check_section(personalize, solution, spec, path)
        yield from _gate_problems(solution, spec, path)
        yield from _deployment_problems(planner, personalize, solution, path)
        if solution.full_every_days is not None and solution.training_mode != "UPDATE":
            yield Problem(f"{path}.fullEveryDays", 'has a meaning only with "trainingMode": "UPDATE"')


def _recipe_problems(spec: ResourceSpec, path: str, recipes: Sequence[str]) -> Iterator[Problem]:
    recipe = spec["request"].get("recipeArn")
    if recipe and recipe not in recipes:
        known = ", ".join(arn.rpartition("/")[2] for arn in recipes)
        yield Problem(f"{path}.recipeArn", f"{recipe.rpartition('/')[2]!r} is no recipe; one of: {known}")


def _gate_problems(solution: Solution, spec: ResourceSpec, path: str) -> Iterator[Problem]:
    """Name the gates that could never judge, and the campaigns that would walk around them."""
    config = spec["request"].get("solutionConfig")
    known = known_metrics(spec["request"].get("recipeArn"), config if isinstance(config, Mapping) else {})
    for position, gate in enumerate(solution.gates):
        if known is not None and gate.metric not in known:
            text = f"{gate.metric!r} is no metric of this recipe, which has: {', '.join(sorted(known))}"
            yield Problem(f"{path}.gates[{position}].metric", text)
    for position, campaign in enumerate(solution.campaigns):
        if solution.gates and campaign.follows_newest:
            text = "follows the newest version, whatever the gates say: take out the gates, or what makes it follow"
            yield Problem(f"{path}.campaigns[{position}]", text)


def _deployment_problems(
    planner: Planner, personalize: Personalize, solution: Solution, path: str
) -> Iterator[Problem]:
    version = f"{planner.solution_arn(solution)}/a-version"
    campaigns = planner.update_campaign(solution, version)["campaigns"]
    for position, (campaign, spec) in enumerate(zip(solution.campaigns, campaigns, strict=True)):
        yield from _check_section(personalize, campaign, spec, f"{path}.campaigns[{position}]")
    keys = ("batchInferenceJobs", solution.batch_inference_jobs), ("batchSegmentJobs", solution.batch_segment_jobs)
    sections = [(f"{path}.{key}[{position}]", job) for key, jobs in keys for position, job in enumerate(jobs)]
    specs = planner.run_batch_inference(solution, version)["jobs"]
    for (job_path, job), spec in zip(sections, specs, strict=True):
        yield from _check_section(personalize, job, spec, job_path)


def _check_section(
    personalize: Personalize, section: PassThroughSection, spec: ResourceSpec, path: str
) -> Iterator[Problem]:
    yield from _check(personalize, spec, path, section.own_keys())
    for key in _OURS[type(section)]:
        if key in section.parameters and not _follows(section, key, section.parameters[key]):
            yield Problem(f"{path}.{key}", "is computed; take it out of the request")


def _follows(section: PassThroughSection, key: str, value: Any) -> bool:
    """Say whether a campaign asks for the newest version, in the one way that the service has for that."""
    return isinstance(section, Campaign) and key == "solutionVersionArn" and str(value).endswith("/$LATEST")


def _check(personalize: Personalize, spec: ResourceSpec, path: str, own_keys: Sequence[str] = ()) -> Iterator[Problem]:
    row, names = RESOURCES[spec["type"]], personalize.names
    shape = personalize.input_shape(f"Create{row.pascal}")
    for problem in check_parameters(shape, spec["request"], path, own_keys):
        counts = names.prefix and problem.path == f"{path}.{row.name_key}"
        yield (
            problem._replace(text=f"{problem.text}, the stage's prefix {names.prefix!r} included")
            if counts
            else problem
        )
    yield from foreign_names(spec, path, names, personalize.arn_prefix)
