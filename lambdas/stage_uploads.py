"""Choose the files of the next import job and put them where the service finds them."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import wiring
from lambdas.requests.group_policies import import_job_options, upload_policy
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.staging import ImportJobs, Staging

ledger, leases, claims, objects = wiring.ledger(), wiring.leases(), wiring.claims(), wiring.objects()
jobs = ImportJobs(wiring.data_role_arn(), wiring.stage_names().prefix)
redacts = wiring.redacts_cells()


@wiring.wired
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the import job to run as the next step, what to do when there is none, or STAGE if time ran out."""
    step = ImportStepInput.model_validate(event)
    wiring.logger.append_keys(dataset_key=step.dataset_key)
    staging = Staging(ledger, leases, claims, objects, jobs, wiring.out_of_time(context))
    options = import_job_options(objects, step.datasetGroup, step.dataset)
    state = staging.stage(step, upload_policy(objects, step.datasetGroup, redacts=redacts), options)
    wiring.logger.info("staged", extra={"next_step": state.next_step, "job": state.batch.name if state.batch else None})
    wiring.count("FilesStaged", state.batch.files if state.batch else 0)
    return state.model_dump(mode="json")
