"""Read what waits and was never read, line by line, before it costs an import job."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import wiring
from lambdas.requests.group_policies import upload_policy
from lambdas.uploads.file_inspection import Inspection
from lambdas.uploads.import_state import ImportStepInput

ledger, leases, claims, objects = wiring.ledger(), wiring.leases(), wiring.claims(), wiring.objects()
redacts = wiring.redacts_cells()


@wiring.wired
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return INSPECT as the next step if time ran out, else STAGE."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    inspection = Inspection(ledger, leases, claims, objects, wiring.out_of_time(context))
    state = inspection.inspect(step, upload_policy(objects, step.datasetGroup, redacts=redacts))
    wiring.logger.info("inspected", extra={"next_step": state.next_step})
    return state.model_dump(mode="json")
