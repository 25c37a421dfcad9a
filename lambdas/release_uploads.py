"""After a failure, write down what it means for the files of the import job, and give the lease back."""

from typing import Any

from lambdas import wiring
from lambdas.uploads.group_policies import upload_policy
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.settlement import Settlement

objects, starter = wiring.objects(), wiring.import_starter()
settlement = Settlement(wiring.ledger(), wiring.leases(), wiring.claims(), objects)


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return nothing: the state machine ends with the `failure` that it hands in."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    failure = event["failure"]
    settlement.failed(step, failure["error"], failure["cause"], upload_policy(objects, step.datasetGroup), starter)
    wiring.count("FailedImports")
    return {}
