"""Decide whether what was imported is worth a training now."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from lambdas.personalize.request import RetrainPolicy


class RetrainDecision(BaseModel):
    """Whether `pipeline` is started, and why."""

    start: bool
    reason: str
    put_off: bool = Field(default=False, exclude=True)  # enough has come in, and the policy says: later


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
