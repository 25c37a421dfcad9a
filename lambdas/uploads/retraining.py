"""Start the training that a group's imports call for; what is put off is taken up again by the sweep."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from lambdas.bucket_layout import dataset_key_of
from lambdas.gateways.concurrency import each_named
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions, execution_name
from lambdas.personalize.gateway import Personalize
from lambdas.requests.group_policies import retrain_policy
from lambdas.requests.request import RetrainPolicy
from lambdas.uploads.dataset_facts import newest_training
from lambdas.uploads.lease import Leases
from lambdas.uploads.records.import_history import ImportHistory


class RetrainDecision(BaseModel):
    """Whether `pipeline` is started, and why."""

    start: bool
    reason: str
    put_off: bool = Field(default=False, exclude=True)  # enough has come in, and the policy says: later


class Retraining:
    """Decides about the trainings of dataset groups, and remembers which were put off."""

    def __init__(
        self,
        history: ImportHistory,
        leases: Leases,
        objects: Objects,
        personalize: Personalize,
        executions: Executions,
        pipeline_arn: str,
    ) -> None:
        self._history = history
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
            self._history.forget_retrain(group)
        elif decision.put_off:
            self._history.put_retrain_off(group, job_name)
        return decision

    def take_up(self, time: str) -> tuple[list[str], list[str]]:
        """Decide again about every training that was put off; return the groups that train now, and what failed."""
        put_off = {group: (group, job_name) for group, job_name in self._history.retrains_put_off()}
        started, troubles = each_named(lambda pair: self._take_up(*pair, time), put_off)
        return [group for group, was_started in started.items() if was_started], troubles

    def _take_up(self, group: str, job_name: str, time: str) -> bool:
        decision = self.after_import(group, job_name, time)
        if not decision.start and not decision.put_off:
            self._history.forget_retrain(group)  # somebody trained meanwhile, or the policy is gone
        return decision.start

    def _decide(self, group: str, time: str) -> RetrainDecision:
        policy = retrain_policy(self._objects, group)
        if policy is None:
            return RetrainDecision(start=False, reason="the group's request has no retrain policy")
        trained = newest_training(self._personalize, group)
        return decide(
            policy,
            now=datetime.fromisoformat(time),
            rows_since=self._history.rows_imported(group, trained),
            newest_training=trained,
            running=self._leases.holder_of(dataset_key_of(group, "pipeline")),
        )


def decide(
    policy: RetrainPolicy | None,
    *,
    now: datetime,
    rows_since: int,
    newest_training: datetime | None,
    running: str | None,
) -> RetrainDecision:
    """Judge the facts by the group's policy. `running` is the execution of `pipeline` that is under way."""
    if policy is None:
        return RetrainDecision(start=False, reason="the request has no retrain policy")
    if few := _too_few(policy, rows_since):
        return RetrainDecision(start=False, reason=few)
    for objection in (
        running and f"{running} is under way for this group",
        _too_young(policy, now, newest_training),
        _too_early(policy, now),
        _blacked_out(policy, now),
    ):
        if objection:
            return RetrainDecision(start=False, reason=objection, put_off=True)
    trained = f"since the training of {newest_training.isoformat()}" if newest_training else "and no training yet"
    return RetrainDecision(start=True, reason=f"{rows_since} rows imported {trained}")


def _too_few(policy: RetrainPolicy, rows_since: int) -> str | None:
    if rows_since >= policy.rows_since:
        return None
    return f"{rows_since} rows since the last training, the policy asks for {policy.rows_since}"


def _too_young(policy: RetrainPolicy, now: datetime, newest_training: datetime | None) -> str | None:
    wanted = timedelta(hours=policy.minimum_age_hours)
    if newest_training is None or now - newest_training >= wanted:
        return None
    return f"the newest version is {now - newest_training} old, the policy asks for {wanted}"


def _too_early(policy: RetrainPolicy, now: datetime) -> str | None:
    if policy.not_before is None or now >= policy.not_before:
        return None
    return f"the policy allows no training before {policy.not_before.isoformat()}"


def _blacked_out(policy: RetrainPolicy, now: datetime) -> str | None:
    if now.hour not in policy.blackout_hours_utc:
        return None
    return f"the policy allows no training between {now.hour}:00 and {now.hour}:59 UTC"
