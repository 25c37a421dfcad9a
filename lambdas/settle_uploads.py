"""Write down what became of the files of an import job that succeeded, and look what comes next."""

from typing import Any

from lambdas import wiring
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.settlement import Settlement

personalize, tags_imported = wiring.personalize(), wiring.tags_imported()
settlement = Settlement(
    wiring.ledger(),
    wiring.import_history(),
    wiring.leases(),
    wiring.claims(),
    wiring.objects(),
    wiring.import_starter(),
)


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what the state machine does next."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    state = settlement.succeeded(step, event["job"]["arn"], personalize, tags_imported=tags_imported)
    wiring.logger.info("settled", extra={"next_step": state.next_step, "rows": state.rows})
    wiring.count("RowsImported", state.rows)
    return state.model_dump(mode="json")
