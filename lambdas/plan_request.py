"""Read, check and expand a request: the first state of every machine, so that nothing is created for a wrong one."""

from typing import Any

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of, run_request_key
from lambdas.file_checks.batch_input import check_batch_input
from lambdas.names import digest
from lambdas.personalize.plan import Planner
from lambdas.personalize.plan_check import check_request
from lambdas.personalize.request import Request
from lambdas.personalize.stages import load_request, plan_pipeline, plan_stage, request_document

personalize, objects, leases = wiring.personalize(), wiring.objects(), wiring.leases()
account = wiring.account_context()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the machine's part of the plan; for `pipeline` the whole plan, and who else runs one for the group.

    `event` is ``{"machine", "execution", "run", "input"}``: who asks, its ARN and name, and what it was started with.
    """
    given = {key: value for key, value in event["input"].items() if not key.startswith("AWS_STEP_FUNCTIONS")}
    request = load_request(given, objects.text)
    planner = Planner(request, given.get("run", event["run"]), account)
    group = request.dataset_group.name
    wiring.logger.append_keys(dataset_group=group, machine=event["machine"], run=planner.run)
    if event["machine"] != "pipeline":
        if "input" in given:
            check_batch_input(objects, given["input"])
        return plan_stage(event["machine"], given, planner, personalize, _has_objects)
    check_request(planner, personalize)
    plan = plan_pipeline(planner)
    holder = leases.take(dataset_key_of(group, "pipeline"), event["execution"]).holder
    solutions = [solution.name for solution in request.solutions]
    wiring.logger.info("planned", extra={"solutions": solutions, "holder": holder})
    wiring.count("Plans")
    runs = {"request": _keep(group, request), "runsAlone": holder == event["execution"], "holder": holder}
    return {**plan, **runs}


def _keep(group: str, request: Request) -> str:
    """Write down what the run was planned from, for its stages; return its key, which travels in place of it."""
    document = request_document(request)
    key = run_request_key(group, digest(document, 24))
    objects.write(key, document.encode(), "application/json")
    return key


def _has_objects(prefix: str) -> bool:
    return next(iter(objects.keys(prefix)), None) is not None
