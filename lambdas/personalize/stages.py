"""Plan what each state machine begins with: its own part of the request, complete, however it was started."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lambdas.bucket_layout import request_key
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.parameters import Problem
from lambdas.personalize.plan import Planner, ResourceSpec, batch_jobs
from lambdas.personalize.request import InvalidRequestError, Request, Solution, parse_request
from lambdas.personalize.resources import RESOURCES

ReadText = Callable[[str], str | None]
HasObjects = Callable[[str], bool]

_LARGEST_STATE_BYTES: Final = 240_000  # of 262,144: the names of states and members around it take some
_DESCRIPTION_BYTES: Final = 1_000  # what the service answers about a resource beyond what it was created with
_OPTIONS: Final = ("datasetGroup", "request", "run", "solution", "solutionVersionArn", "template", "input")


def load_request(given: Mapping[str, Any], read_text: ReadText) -> Request:
    """Return the request that an execution's input holds or names.

    A whole request may be given inline; otherwise ``{"datasetGroup": "movies"}`` names the one in the bucket, which
    `read_text` returns by key, or None when there is none. Raises InvalidRequestError.
    """
    if isinstance(given.get("request"), str):  # a stage of a run: the key of what the run was planned from
        return parse_request(_document(given["request"], read_text))
    if "request" in given:
        return parse_request(given["request"])
    if "datasets" in given:
        return parse_request(
            {key: value for key, value in given.items() if key not in _OPTIONS or key == "datasetGroup"}
        )
    if unknown := sorted(set(given) - set(_OPTIONS)):
        allowed = ", ".join(_OPTIONS)
        raise InvalidRequestError([Problem("$", f"unknown key {', '.join(map(repr, unknown))}; allowed: {allowed}")])
    group = given.get("datasetGroup")
    if not isinstance(group, str):
        raise InvalidRequestError([Problem("$.datasetGroup", "give the dataset group's name, or a whole request")])
    request = parse_request(_document(request_key(group), read_text))
    if request.dataset_group.name != group:
        problem = Problem("$.datasetGroup.name", f"is {request.dataset_group.name!r} in {request_key(group)}")
        raise InvalidRequestError([problem])
    return request


def _document(key: str, read_text: ReadText) -> Any:
    text = read_text(key)
    if text is None:
        raise InvalidRequestError([Problem("$", f"the bucket has no {key}: upload it, or give the request inline")])
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidRequestError([Problem("$", f"{key} is no JSON: {error}")]) from error


def request_document(request: Request) -> str:
    """Return the request as JSON, complete: reading it again gives the same request."""
    return request.model_dump_json(by_alias=True, exclude_none=True)


def plan_pipeline(planner: Planner) -> dict[str, Any]:
    """Return the complete plan of a run. Raises InvalidRequestError if a state machine could not carry it."""
    plan = {
        "datasetGroup": planner.request.dataset_group.name,
        "run": planner.run,
        "import": planner.import_data(),
        "solutions": [_whole_plan(planner, solution) for solution in planner.request.solutions],
    }
    _check_size(plan)
    return plan


def _whole_plan(planner: Planner, solution: Solution) -> dict[str, Any]:
    later = "the version that will be trained"
    return {
        "name": solution.name,
        **planner.train_solution(solution),
        **planner.update_campaign(solution, later),
        **planner.run_batch_inference(solution, later),
    }


def _check_size(plan: Mapping[str, Any]) -> None:
    """Refuse what the service's descriptions of all resources would make too large for a state.

    Found out after the trainings, it would have cost them: Step Functions ends an execution whose state passes 256 KB.
    """
    things = sum(len(each["campaigns"]) + len(each["jobs"]) + 1 for each in plan["solutions"])
    expected = len(json.dumps(plan).encode()) + _DESCRIPTION_BYTES * things
    if expected > _LARGEST_STATE_BYTES:
        problem = f"is too much for one run: its plan and results would take {expected:,} bytes, Step Functions passes"
        raise InvalidRequestError(
            [Problem("$.solutions", f"{problem} {_LARGEST_STATE_BYTES:,}; give fewer solutions, campaigns or jobs")]
        )


def plan_stage(
    machine: str, given: Mapping[str, Any], planner: Planner, personalize: Personalize, has_objects: HasObjects
) -> dict[str, Any]:
    """Return the part of the plan that one stage's machine carries out.

    `has_objects` says whether there is an object below a prefix of the bucket.
    """
    if machine == "import_data":
        return planner.import_data()
    solution = _solution(planner.request, given)
    if machine == "train_solution":
        return planner.train_solution(solution)
    version = _version(given, planner, solution, personalize)
    if version is None:
        return {"campaigns": [], "jobs": [], "note": f"{solution.name} has no version to serve"}
    if machine == "update_campaign":
        return {**planner.update_campaign(solution, version), "note": ""}
    jobs = planner.run_batch_inference(solution, version, given.get("template"), given.get("input"))["jobs"]
    return _with_input(jobs, planner, has_objects) if "input" not in given else {"jobs": jobs, "note": ""}


def _with_input(jobs: Sequence[ResourceSpec], planner: Planner, has_objects: HasObjects) -> dict[str, Any]:
    """Leave out the jobs whose input nobody has uploaded yet: they are no reason to end red after a training."""
    empty = [path for job in jobs if (path := _input_of(job, planner)) and not has_objects(path)]
    note = f"no input yet below {', '.join(empty)}" if empty else ""
    return {"jobs": [job for job in jobs if _input_of(job, planner) not in empty], "note": note}


def _input_of(job: ResourceSpec, planner: Planner) -> str | None:
    """Return the folder of the bucket that a job reads; None for a place that is the caller's own business."""
    path = str(job["request"]["jobInput"]["s3DataSource"]["path"])
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    return prefix if bucket == planner.bucket and prefix.endswith("/") else None


def _solution(request: Request, given: Mapping[str, Any]) -> Solution:
    """Return the solution that the input names, has the batch template of, or that is the only one."""
    template, name = given.get("template"), given.get("solution")
    matching = [
        solution
        for solution in request.solutions
        if name in (None, solution.name)
        and (template is None or template in {job.template for _, job in batch_jobs(solution)})
    ]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(solution.name for solution in request.solutions) or "none"
    templates = ", ".join(job.template for s in request.solutions for _, job in batch_jobs(s)) or "none"
    text = f"which solution? solution is {name!r} and template {template!r}; the request has the solutions {names}"
    raise InvalidRequestError([Problem("$.solution", f"{text} and the batch templates {templates}")])


def _version(given: Mapping[str, Any], planner: Planner, solution: Solution, personalize: Personalize) -> str | None:
    """Return the version to serve: the one given, else the one deployed, else the newest that is ACTIVE."""
    if "solutionVersionArn" in given:
        return given["solutionVersionArn"]  # type: ignore[no-any-return]  # null says: there is none to serve
    for campaign_arn in planner.train_solution(solution)["campaignArns"]:
        if deployed := personalize.describe(RESOURCES["campaign"], campaign_arn):
            return str(deployed["solutionVersionArn"])
    return newest_version(personalize, planner.solution_arn(solution))


def newest_version(personalize: Personalize, solution_arn: str) -> str | None:
    """Return the ARN of the newest ACTIVE version of a solution, or None."""
    try:
        versions = list(personalize.summaries(RESOURCES["solution_version"], solution_arn))
    except personalize.errors.ResourceNotFoundException:
        return None
    active = [version for version in versions if phase_of(version["status"]) is Phase.READY]
    active.sort(key=lambda version: version["creationDateTime"])
    return str(active[-1]["solutionVersionArn"]) if active else None
