"""Decide whether a solution needs another version, and how it is trained: a training is paid for once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lambdas.requests.sections import Training, TrainingMode


class Action(StrEnum):
    """What becomes of the solution's version in this run."""

    TRAIN = "TRAIN"
    REUSE = "REUSE"
    NONE = "NONE"  # there is no version, and none may be trained


@dataclass(frozen=True)
class Version:
    """A version that is ACTIVE or being trained, as the service tells."""

    arn: str
    created: datetime
    mode: str
    ready: bool
    differences: str = ""  # in what of its configuration it differs from the solution as it is asked for
    billed_hours: float | None = None  # of its training, once it is done; told of the newest version only


@dataclass(frozen=True)
class TrainingPolicy:
    """What the request says about a solution's trainings, and whether its recipe can be updated."""

    train: Training = "WHEN_NEEDED"
    mode: TrainingMode = "FULL"
    full_every_days: float | None = None
    after_put_events: int | None = None  # requests since the newest version
    can_update: bool = False


@dataclass(frozen=True)
class TrainingDecision:
    """The decision, its reasons, and what it is about: a version that is there, or the mode of the next."""

    action: Action
    reasons: Sequence[str]
    version_arn: str | None = None
    mode: TrainingMode = "FULL"


@dataclass(frozen=True)
class NewData:
    """When each dataset was last imported, and how many PutEvents requests came since the newest version."""

    imported: Mapping[str, datetime]
    put_events: int = 0


def decide_training(
    policy: TrainingPolicy, versions: Sequence[Version], data: NewData, now: datetime
) -> TrainingDecision:
    """Decide by the versions there are, the newest first, and the data that came since.

    A version that is being trained is as good as trained: what was imported since it began is for the next one.
    """
    newest = versions[0] if versions else None
    if policy.train == "NEVER":
        ready = next((version for version in versions if version.ready), None)
        if ready is None:
            return TrainingDecision(Action.NONE, ['there is no version yet, and "train" is "NEVER"'])
        return TrainingDecision(Action.REUSE, ['"train" is "NEVER"'], ready.arn)
    if policy.train == "ALWAYS":
        return TrainingDecision(Action.TRAIN, ['"train" is "ALWAYS"'], mode=_mode(policy, versions, now))
    if newest is not None and not newest.ready:
        return TrainingDecision(Action.REUSE, ["it is being trained already"], newest.arn)
    if reasons := _needs(policy, versions, data, now):
        return TrainingDecision(Action.TRAIN, reasons, mode=_mode(policy, versions, now))
    assert newest is not None  # noqa: S101 -- without a version there is a need; this tells mypy so
    return TrainingDecision(Action.REUSE, [f"nothing has changed since {newest.created:%Y-%m-%d %H:%M}"], newest.arn)


def _needs(policy: TrainingPolicy, versions: Sequence[Version], data: NewData, now: datetime) -> list[str]:
    if not versions:
        return ["there is no version yet"]
    newest = versions[0]
    changed = [f"the configuration changed: {newest.differences}"] if newest.differences else []
    if policy.after_put_events is not None and data.put_events >= policy.after_put_events:
        changed.append(f"{data.put_events} PutEvents requests since, trainAfterPutEvents is {policy.after_put_events}")
    if since := _imported_since(newest, data.imported):
        return [*changed, f"imported since {newest.created:%Y-%m-%d %H:%M}: {', '.join(since)}"]
    full = _newest_full(versions)
    if full and _is_due(policy, full, now) and _imported_since(full, data.imported):
        return [*changed, _due(policy, full, now)]
    return changed


def _mode(policy: TrainingPolicy, versions: Sequence[Version], now: datetime) -> TrainingMode:
    """Return UPDATE where that is asked and possible: it continues the newest FULL version."""
    full = _newest_full(versions)
    if policy.mode != "UPDATE" or not policy.can_update or full is None or versions[0].differences:
        return "FULL"
    return "FULL" if _is_due(policy, full, now) else "UPDATE"


def _newest_full(versions: Sequence[Version]) -> Version | None:
    return next((version for version in versions if version.ready and version.mode == "FULL"), None)


def _imported_since(version: Version, imported: Mapping[str, datetime]) -> list[str]:
    return sorted(dataset for dataset, time in imported.items() if time > version.created)


def _is_due(policy: TrainingPolicy, full: Version, now: datetime) -> bool:
    return policy.full_every_days is not None and now - full.created >= timedelta(days=policy.full_every_days)


def _due(policy: TrainingPolicy, full: Version, now: datetime) -> str:
    age_days = (now - full.created) / timedelta(days=1)
    return f"the newest FULL version is {age_days:.1f} days old, fullEveryDays is {policy.full_every_days}"
