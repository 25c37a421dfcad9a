"""After a failure, write down what it means for the files of the import job, and give the lease back."""

from typing import Any

from lambdas import wiring
from lambdas.personalize.failures import ErrorAndCause, innermost
from lambdas.requests.group_policies import upload_policy
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.settlement import Settlement

objects = wiring.objects()
settlement = Settlement(
    wiring.ledger(), wiring.import_history(), wiring.leases(), wiring.claims(), objects, wiring.import_starter()
)


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Return ``{"error", "cause"}``, with which the state machine ends: *Explain*'s, or ours if that could not run."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    failure = ErrorAndCause(**event["failure"]) if "error" in event["failure"] else innermost(event["failure"])
    settlement.failed(step, failure.error, failure.cause, upload_policy(objects, step.datasetGroup))
    wiring.count("FailedImports")
    return failure._asdict()
