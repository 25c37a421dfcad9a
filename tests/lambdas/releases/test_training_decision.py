"""Whether a training is paid for, by what there is and what has changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.releases.training_decision import Action, NewData, TrainingPolicy, Version, decide_training

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def version(name: str, days_ago: float, mode: str = "FULL", *, ready: bool = True, differences: str = "") -> Version:
    return Version(name, NOW - timedelta(days=days_ago), mode, ready, differences)


def decide(
    *versions: Version, imported_days_ago: float | None = None, put_events: int = 0, **policy: Any
) -> tuple[Action, Any]:
    imported = {} if imported_days_ago is None else {"interactions": NOW - timedelta(days=imported_days_ago)}
    decision = decide_training(TrainingPolicy(**policy), versions, NewData(imported, put_events), NOW)
    assert decision.reasons, "every decision says why"
    return decision.action, decision.version_arn or decision.mode


UPDATING: dict[str, Any] = {"mode": "UPDATE", "can_update": True}


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        (decide(), (Action.TRAIN, "FULL")),
        (decide(version("v", 2), imported_days_ago=3), (Action.REUSE, "v")),
        (decide(version("v", 2), imported_days_ago=1), (Action.TRAIN, "FULL")),
        (decide(version("v", 2, differences="solutionConfig.eventsConfig")), (Action.TRAIN, "FULL")),
        (decide(version("v", 0.01, ready=False), version("u", 2), imported_days_ago=0), (Action.REUSE, "v")),
        (decide(version("v", 2), imported_days_ago=1, train="NEVER"), (Action.REUSE, "v")),
        (decide(version("v", 1, ready=False), version("u", 2), train="NEVER"), (Action.REUSE, "u")),
        (decide(version("v", 1, ready=False), train="NEVER"), (Action.NONE, "FULL")),
        (decide(train="NEVER"), (Action.NONE, "FULL")),
        (decide(version("v", 2), train="ALWAYS"), (Action.TRAIN, "FULL")),
        (decide(version("v", 2), put_events=1_000), (Action.REUSE, "v")),
        (decide(version("v", 2), put_events=999, after_put_events=1_000), (Action.REUSE, "v")),
        (decide(version("v", 2), put_events=1_000, after_put_events=1_000), (Action.TRAIN, "FULL")),
    ],
)
def test_a_version_is_trained_when_something_changed_and_reused_when_nothing_did(decided: Any, expected: Any) -> None:
    assert decided == expected


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        (decide(**UPDATING), (Action.TRAIN, "FULL")),  # nothing to continue
        (decide(version("v", 2, ready=False), train="ALWAYS", **UPDATING), (Action.TRAIN, "FULL")),
        (decide(version("v", 2), imported_days_ago=1, **UPDATING), (Action.TRAIN, "UPDATE")),
        (decide(version("v", 2), imported_days_ago=1, mode="UPDATE"), (Action.TRAIN, "FULL")),  # its recipe cannot
        (
            decide(version("u", 1, "UPDATE"), version("v", 8), imported_days_ago=0, full_every_days=7, **UPDATING),
            (Action.TRAIN, "FULL"),
        ),
        (
            decide(version("u", 1, "UPDATE"), version("v", 6), imported_days_ago=0, full_every_days=7, **UPDATING),
            (Action.TRAIN, "UPDATE"),
        ),
        # Nothing came since the last UPDATE, but the FULL one is old, and does not know what that UPDATE learnt.
        (
            decide(version("u", 1, "UPDATE"), version("v", 8), imported_days_ago=2, full_every_days=7, **UPDATING),
            (Action.TRAIN, "FULL"),
        ),
        # The old FULL one knows everything there is.
        (decide(version("v", 8), imported_days_ago=9, full_every_days=7, **UPDATING), (Action.REUSE, "v")),
        (decide(version("v", 2, differences="eventsConfig"), **UPDATING), (Action.TRAIN, "FULL")),
    ],
)
def test_an_update_continues_a_full_version_that_is_not_too_old(decided: Any, expected: Any) -> None:
    assert decided == expected
