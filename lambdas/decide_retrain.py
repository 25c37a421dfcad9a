"""Decide whether what was just imported leads to a training, and start it."""

from typing import Any

from lambdas import wiring
from lambdas.uploads.import_state import ImportStepInput

retraining = wiring.retraining()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the execution's state, with the decision in it."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    decision = retraining.after_import(step.datasetGroup, step.state.jobs[-1].jobName, step.time)
    wiring.logger.info("decided", extra={"decision": decision.model_dump()})
    wiring.count("Retrains", int(decision.start))
    return step.state.model_copy(update={"retrain": decision}).model_dump(mode="json")
