"""Read, check and expand a request: the first state of every machine, so that nothing is created for a wrong one."""

from typing import Any

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of, run_request_key
from lambdas.file_checks.batch_input import check_batch_input
from lambdas.names import digest
from lambdas.releases.stage_plan import StagePlanner
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import check_request, request_problems
from lambdas.requests.request import InvalidRequestError, Request
from lambdas.requests.request_reading import load_request, request_document
from lambdas.requests.stage_check import own_names_only
from lambdas.requests.unrequested import unrequested
from lambdas.requests.whole_plan import plan_pipeline

personalize, objects, leases = wiring.personalize(), wiring.objects(), wiring.leases()
releases_of = wiring.releases()
account = wiring.account_context()
redacts = wiring.redacts_cells()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the machine's part of the plan; for `pipeline` the whole plan, and who else runs one for the group.

    `event` is ``{"machine", "execution", "run", "now", "input"}``: who asks, its ARN and name, when it began, and what
    it was started with.
    """
    given = {key: value for key, value in event["input"].items() if not key.startswith("AWS_STEP_FUNCTIONS")}
    request = _load(given, event)
    planner = Planner(request, given.get("run", event["run"]), account)
    group = request.dataset_group.name
    wiring.logger.append_keys(dataset_group=group, machine=event["machine"], run=planner.run)
    if event["machine"] != "pipeline":
        if "input" in given:
            check_batch_input(objects, given["input"], quotes=request.uploads.quote_cells and not redacts)
        stages = StagePlanner(planner, personalize, releases_of(group), _has_objects, event["now"])
        return own_names_only(stages.plan(event["machine"], given), personalize)
    check_request(planner, personalize)
    plan = plan_pipeline(planner)
    holder = leases.take(dataset_key_of(group, "pipeline"), event["execution"]).holder
    solutions = [solution.name for solution in request.solutions]
    wiring.logger.info("planned", extra={"solutions": solutions, "holder": holder})
    wiring.count("Plans")
    runs = {"request": _keep(group, request), "runsAlone": holder == event["execution"], "holder": holder}
    return {**plan, **runs, "notInRequest": unrequested(planner, personalize)}


def _load(given: dict[str, Any], event: dict[str, Any]) -> Request:
    """Return the request; raises InvalidRequestError with all that our model and the service have against it."""
    try:
        return load_request(given, objects.text)
    except InvalidRequestError as error:
        if error.readable is None:
            raise
        rest = request_problems(Planner(error.readable, event["run"], account), personalize)
        found = tuple(problem.path for problem in error.problems)
        raise InvalidRequestError(
            [*error.problems, *(one for one in rest if not one.path.startswith(found))]
        ) from error


def _keep(group: str, request: Request) -> str:
    """Write down what the run was planned from, for its stages; return its key, which travels in place of it."""
    document = request_document(request)
    key = run_request_key(group, digest(document, 24))
    objects.write(key, document.encode(), "application/json")
    return key


def _has_objects(prefix: str) -> bool:
    return next(iter(objects.keys(prefix)), None) is not None
