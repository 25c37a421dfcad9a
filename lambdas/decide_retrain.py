"""Decide whether what was imported leads to a training, start it, and tell how the execution went."""

from datetime import datetime
from typing import Any

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of
from lambdas.gateways.step_functions import execution_name
from lambdas.uploads.dataset_facts import newest_training
from lambdas.uploads.group_policies import retrain_policy
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.retrain_policy import RetrainDecision, decide

ledger, leases, executions = wiring.ledger(), wiring.leases(), wiring.executions()
personalize, objects, pipeline_arn = wiring.personalize(), wiring.objects(), wiring.pipeline_arn()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the execution's output, the decision among it."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    decision = _decide(step)
    if decision.start:
        # Named after the import: deciding twice about the same rows starts one pipeline.
        name = execution_name(step.datasetGroup, step.state.jobs[-1].jobName)
        executions.start(pipeline_arn, name, {"datasetGroup": step.datasetGroup})
        wiring.count("Retrains")
    wiring.logger.info("decided", extra={"decision": decision.model_dump()})
    result = step.state.model_dump(mode="json", include={"outcome", "message", "rows", "jobs"})
    names = {"datasetGroup": step.datasetGroup, "dataset": step.dataset}
    return {**names, **result, "retrain": decision.model_dump()}


def _decide(step: ImportStepInput) -> RetrainDecision:
    if not step.state.rows:
        return RetrainDecision(start=False, reason="this execution imported nothing")
    policy = retrain_policy(objects, step.datasetGroup)
    if policy is None:
        return RetrainDecision(start=False, reason="the group's request has no retrain policy")
    trained = newest_training(personalize, step.datasetGroup)
    return decide(
        policy,
        now=datetime.fromisoformat(step.time),
        rows_since=ledger.rows_imported(step.datasetGroup, trained),
        newest_training=trained,
        running=leases.holder_of(dataset_key_of(step.datasetGroup, "pipeline")),
    )
