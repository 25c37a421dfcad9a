"""Read, check and expand a request: the first state of every machine, so that nothing is created for a wrong one."""

from typing import Any

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of
from lambdas.file_checks.batch_input import check_batch_input
from lambdas.personalize.plan import Planner
from lambdas.personalize.plan_check import check_request
from lambdas.personalize.stages import load_request, plan_pipeline, plan_stage

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
        return plan_stage(event["machine"], given, planner, personalize)
    check_request(planner, personalize)
    holder = leases.take(dataset_key_of(group, "pipeline"), event["execution"]).holder
    solutions = [solution.name for solution in request.solutions]
    wiring.logger.info("planned", extra={"solutions": solutions, "holder": holder})
    wiring.count("Plans")
    return {**plan_pipeline(planner), "runsAlone": holder == event["execution"], "holder": holder}
