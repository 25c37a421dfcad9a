"""Start the training that a group's imports call for; what is put off is taken up again by the sweep."""

from datetime import datetime

from lambdas.bucket_layout import dataset_key_of
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions, execution_name
from lambdas.personalize.gateway import Personalize
from lambdas.uploads.dataset_facts import newest_training
from lambdas.uploads.group_policies import retrain_policy
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.retrain_policy import RetrainDecision, decide


class Retraining:
    """Decides about the trainings of dataset groups, and remembers which were put off."""

    def __init__(
        self,
        ledger: Ledger,
        leases: Leases,
        objects: Objects,
        personalize: Personalize,
        executions: Executions,
        pipeline_arn: str,
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._objects = objects
        self._personalize = personalize
        self._executions = executions
        self._pipeline_arn = pipeline_arn

    def after_import(self, group: str, job_name: str, time: str) -> RetrainDecision:
        """Decide after an import job; start `pipeline`, named after the job, or note that it is put off."""
        decision = self._decide(group, time)
        if decision.start:
            # Deciding twice about the same rows starts one pipeline.
            self._executions.start(self._pipeline_arn, execution_name(group, job_name), {"datasetGroup": group})
            self._ledger.forget_retrain(group)
        elif decision.put_off:
            self._ledger.put_retrain_off(group, job_name)
        return decision

    def take_up(self, time: str) -> list[str]:
        """Decide again about every training that was put off; return the groups whose pipeline was started."""
        return [group for group, job_name in self._ledger.retrains_put_off() if self._take_up(group, job_name, time)]

    def _take_up(self, group: str, job_name: str, time: str) -> bool:
        decision = self.after_import(group, job_name, time)
        if not decision.start and not decision.put_off:
            self._ledger.forget_retrain(group)  # somebody trained meanwhile, or the policy is gone
        return decision.start

    def _decide(self, group: str, time: str) -> RetrainDecision:
        policy = retrain_policy(self._objects, group)
        if policy is None:
            return RetrainDecision(start=False, reason="the group's request has no retrain policy")
        trained = newest_training(self._personalize, group)
        return decide(
            policy,
            now=datetime.fromisoformat(time),
            rows_since=self._ledger.rows_imported(group, trained),
            newest_training=trained,
            running=self._leases.holder_of(dataset_key_of(group, "pipeline")),
        )
