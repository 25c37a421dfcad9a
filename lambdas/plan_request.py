"""Read, check and expand a request: the first state of every machine, so that nothing is created for a wrong one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of, run_request_key
from lambdas.costs.budget_check import OverBudgetError
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import load_prices
from lambdas.file_checks.batch_input import check_batch_input
from lambdas.gateways.step_functions import own_input
from lambdas.names import digest
from lambdas.notices.stage_events import OverBudget
from lambdas.previews.added_spending import budget_problems
from lambdas.previews.group_data import group_data
from lambdas.previews.plan_document import bounded_plan
from lambdas.previews.planned_change import ChangePlanner, PlannedChange
from lambdas.previews.preview import Preview
from lambdas.releases.stage_plan import StagePlanner
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import check_request, request_problems
from lambdas.requests.request import InvalidRequestError, Request
from lambdas.requests.request_reading import load_request, request_document
from lambdas.requests.schedules.planned_schedules import check_scheduled, check_source
from lambdas.requests.stage_check import own_names_only
from lambdas.requests.unrequested import unrequested
from lambdas.requests.whole_plan import plan_pipeline

personalize, objects, leases = wiring.personalize(), wiring.objects(), wiring.leases()
events, schedules = wiring.event_bus(), wiring.schedules()
ledger, imports, counts = wiring.ledger(), wiring.import_history(), wiring.counts()
releases_of, unwritten_releases_of = wiring.releases(), wiring.unwritten_releases()
costs = CostEstimator(load_prices())
account = wiring.account_context()
redacts = wiring.redacts_cells()

_PREVIEW_BYTES: Final = 12_000  # of the 262,144 that a state may hold; the plan itself leaves more


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the machine's part of the plan; for `pipeline` the whole plan, and who else runs one for the group.

    A `preview` says what the run will do with each resource, and what that takes in hours and money.

    `event` is ``{"machine", "execution", "run", "now", "input"}``: who asks, its ARN and name, when it began, and what
    it was started with.
    """
    given = own_input(event["input"])
    request = _load(given, event)
    planner = Planner(request, given.get("run", event["run"]), account)
    group = request.dataset_group.name
    wiring.logger.append_keys(dataset_group=group, machine=event["machine"], run=planner.run)
    if "schedule" in given:
        check_scheduled(planner, personalize, given["schedule"])
    if event["machine"] != "pipeline":
        if "input" in given:
            check_batch_input(objects, given["input"], quotes=request.uploads.quote_cells and not redacts)
        stages = StagePlanner(planner, personalize, releases_of(group), _has_objects, event["now"])
        stage = own_names_only(stages.plan(event["machine"], given), personalize)
        if event["machine"] == "update_campaign" and "run" not in given:  # by hand; a run was held against it before
            _demand_budget(planner, _campaign_changes(planner, stage, event["now"]), event["now"])
        return stage
    check_request(planner, personalize)
    check_source(planner.request, objects.text)
    plan = plan_pipeline(planner, given.get("solution"))
    holder = leases.take(dataset_key_of(group, "pipeline"), event["execution"]).holder
    solutions = [solution.name for solution in request.solutions]
    wiring.logger.info("planned", extra={"solutions": solutions, "holder": holder})
    runs = {"request": _keep(group, request), "runsAlone": holder == event["execution"], "holder": holder}
    changes = _changes(planner, event["now"]) if runs["runsAlone"] else []
    _demand_budget(planner, changes, event["now"])
    preview = bounded_plan(changes, costs.prices, _PREVIEW_BYTES)
    return {**plan, **runs, "preview": preview, "notInRequest": unrequested(planner, personalize)}


def _changes(planner: Planner, now: str) -> list[PlannedChange]:
    group = planner.group
    return Preview(
        planner,
        personalize,
        unwritten_releases_of(group),
        datetime.fromisoformat(now),
        group_data(ledger, imports, group, planner.request.datasets),
        _has_objects,
        counts,
        costs,
        schedules,
    ).changes()


def _campaign_changes(planner: Planner, stage: dict[str, Any], now: str) -> list[PlannedChange]:
    recipes = {solution.name: solution.recipe_arn for solution in planner.request.solutions}
    changes = ChangePlanner(personalize, costs, datetime.fromisoformat(now))
    return [changes.change(spec, recipes[stage["solution"]]) for spec in stage["campaigns"]]


def _demand_budget(planner: Planner, changes: Sequence[PlannedChange], now: str) -> None:
    """Refuse what would pass the request's budget, and tell it on the stage's bus. Raises OverBudgetError."""
    if problems := budget_problems(planner, personalize, changes, costs, datetime.fromisoformat(now)):
        wiring.count("OverBudget", len(problems))
        reasons = [f"{problem.path}: {problem.text}" for problem in problems]
        events.put(OverBudget(dataset_group=planner.group, run=planner.run, reasons=reasons))
        raise OverBudgetError(problems)


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
