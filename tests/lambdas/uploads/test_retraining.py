"""When finished imports lead to a training."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.requests.request import RetrainPolicy
from lambdas.uploads.retraining import RetrainDecision, decide

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
POLICY = {
    "rowsSince": 1000,
    "minimumAgeHours": 24,
    "notBefore": "2026-11-01T00:00:00Z",
    "blackoutHoursUtc": [8, 9],
}


def decision(policy: dict[str, Any] | None = None, **facts: Any) -> RetrainDecision:
    known: dict[str, Any] = {
        "now": NOW,
        "rows_since": 5000,
        "newest_training": NOW - timedelta(days=2),
        "running": None,
    }
    return decide(RetrainPolicy.model_validate(POLICY | (policy or {})), **(known | facts))


def test_all_conditions_hold() -> None:
    assert decision() == RetrainDecision(
        start=True, reason="5000 rows imported since the training of 2026-11-18T12:30:00+00:00"
    )


def test_nothing_was_trained_yet() -> None:
    assert decision(newest_training=None).start


@pytest.mark.parametrize(
    ("policy", "facts", "told"),
    [
        ({}, {"rows_since": 999}, "999 rows since the last training, the policy asks for 1000"),
        ({}, {"newest_training": NOW - timedelta(hours=23)}, "23:00:00 old"),
        ({"notBefore": "2026-12-01T00:00:00Z"}, {}, "before 2026-12-01"),
        ({"blackoutHoursUtc": [12]}, {}, "between 12:00 and 12:59"),
        ({}, {"running": "arn:of:a:pipeline"}, "arn:of:a:pipeline is under way"),
    ],
)
def test_one_condition_fails(policy: dict[str, Any], facts: dict[str, Any], told: str) -> None:
    decided = decision(policy, **facts)
    assert not decided.start
    assert told in decided.reason


def test_without_a_policy_nothing_starts() -> None:
    decided = decide(None, now=NOW, rows_since=10**9, newest_training=None, running=None)
    assert decided == RetrainDecision(start=False, reason="the request has no retrain policy")
