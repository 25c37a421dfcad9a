"""Take the lease on a dataset and look what is to be done for it."""

from typing import Any

from lambdas import wiring
from lambdas.uploads.import_state import ImportStepInput

claims, personalize = wiring.claims(), wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what the state machine does next."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    state = claims.claim(step, personalize)
    wiring.logger.info("claimed", extra={"claim": state.model_dump(include={"next_step", "outcome", "message"})})
    return state.model_dump(mode="json")
