"""Plan what each stage's machine begins with: its part of the request, and the version it is about."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdas.personalize.gateway import Personalize
from lambdas.releases.releases import Releases
from lambdas.releases.serving_choice import ORDERS, DeployedSolution, ServingChooser
from lambdas.requests.existing_schemas import keeping_schemas
from lambdas.requests.parameters import Problem
from lambdas.requests.plan import Planner, ResourceSpec, batch_jobs
from lambdas.requests.request import InvalidRequestError, Request, Solution
from lambdas.requests.schedules.planned_schedules import planned_schedules

HasObjects = Callable[[str], bool]


class StagePlanner:
    """Plans one stage of a run, or of one that was started by hand.

    `has_objects` says whether there is an object below a prefix of the bucket; `now` is when the stage began.
    """

    def __init__(
        self, planner: Planner, personalize: Personalize, releases: Releases, has_objects: HasObjects, now: str
    ) -> None:
        self._planner = planner
        self._personalize = personalize
        self._releases = releases
        self._has_objects = has_objects
        self._now = now

    def plan(self, machine: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of the plan that the stage's machine carries out. Raises InvalidRequestError."""
        if orders := [order for order in ORDERS if order in given and machine != "update_campaign"]:
            raise InvalidRequestError([Problem(f"$.{orders[0]}", "is an order for the machine update_campaign")])
        if machine == "import_data":
            stage = keeping_schemas(self._planner.import_data(), self._personalize)
            return {**stage, "schedules": planned_schedules(self._planner)}
        solution = _solution(self._planner.request, given)
        if machine == "train_solution":
            return self._planner.train_solution(solution)
        if machine == "update_campaign":
            return self._update_campaign(solution, given)
        return self._run_batch_inference(solution, given)

    def _update_campaign(self, solution: Solution, given: Mapping[str, Any]) -> dict[str, Any]:
        choice = self._chooser(solution).choose(given)
        version = choice.version_arn
        campaigns = self._planner.update_campaign(solution, version)["campaigns"] if version else []
        return {
            "datasetGroup": self._planner.group,
            "solution": solution.name,
            "campaigns": campaigns,
            "note": choice.note,
        }

    def _run_batch_inference(self, solution: Solution, given: Mapping[str, Any]) -> dict[str, Any]:
        version = self._version(solution, given)
        if version is None:
            return {"jobs": [], "note": f"{solution.name} has no version to serve"}
        jobs = self._planner.run_batch_inference(solution, version, given.get("template"), given.get("input"))["jobs"]
        return (
            _with_input(jobs, self._planner, self._has_objects) if "input" not in given else {"jobs": jobs, "note": ""}
        )

    def _version(self, solution: Solution, given: Mapping[str, Any]) -> str | None:
        """Return the version that batch jobs ask: the one given, kept back or not, else the one that may serve."""
        if "solutionVersionArn" in given:
            return given["solutionVersionArn"]  # type: ignore[no-any-return]  # null says: there is none to serve
        return self._chooser(solution).choose({}).version_arn

    def _chooser(self, solution: Solution) -> ServingChooser:
        return ServingChooser(self._personalize, self._releases, _deployed(self._planner, solution), self._now)


def _with_input(jobs: Sequence[ResourceSpec], planner: Planner, has_objects: HasObjects) -> dict[str, Any]:
    """Leave out the jobs whose input nobody has uploaded yet: they are no reason to end red after a training."""
    empty = [path for job in jobs if (path := input_folder(job, planner)) and not has_objects(path)]
    note = f"no input yet below {', '.join(empty)}" if empty else ""
    return {"jobs": [job for job in jobs if input_folder(job, planner) not in empty], "note": note}


def input_folder(job: ResourceSpec, planner: Planner) -> str | None:
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


def _deployed(planner: Planner, solution: Solution) -> DeployedSolution:
    stage = planner.train_solution(solution)
    following = next((campaign.name for campaign in solution.campaigns if campaign.follows_newest), None)
    campaigns = {arn.rpartition("/")[2]: arn for arn in stage["campaignArns"]}  # as the service calls them
    return DeployedSolution(solution.name, planner.solution_arn(solution), campaigns, following)
