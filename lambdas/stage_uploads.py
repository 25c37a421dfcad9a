"""Choose the files of the next import job and put them where the service finds them."""

from typing import Any

from lambdas import wiring
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.staging import Staging

staging = Staging(wiring.ledger(), wiring.leases(), wiring.claims(), wiring.objects(), wiring.data_role_arn())


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the import job to run as the next step, or what to do when there is none."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    state = staging.stage(step)
    wiring.logger.info("staged", extra={"next_step": state.next_step, "job": state.batch.name if state.batch else None})
    wiring.count("FilesStaged", state.batch.files if state.batch else 0)
    return state.model_dump(mode="json")
