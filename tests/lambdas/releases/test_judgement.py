"""Gates, and people's decisions above them."""

import pytest

from lambdas.releases.judgement import Judgement, UnknownMetricError, judge_release
from lambdas.releases.releases import Release, SignedDecision

GATES = [{"metric": "precision_at_5", "minimum": 0.5}, {"metric": "coverage", "largestDropPercent": 10}]
APPROVED = SignedDecision("arn:v", "Ann", "we looked at it", "2026-03-01T00:00:00Z")


def judged(precision: float, coverage: float, *, approved: bool = False, serves: bool = False) -> Judgement:
    release = Release("arn:v", "v", approved=APPROVED if approved else None)
    metrics = {"precision_at_5": precision, "coverage": coverage}
    return judge_release(GATES, metrics, {"coverage": 0.8, "precision_at_5": 0.9}, release, serves=serves)


def test_a_version_that_passes_every_gate_is_deployed_without_a_word() -> None:
    assert judged(0.5, 0.72) == Judgement(True, [])


def test_every_gate_that_is_missed_is_named_with_both_numbers() -> None:
    judgement = judged(0.4, 0.71)
    assert judgement.verdict == "KEEP"
    assert judgement.reasons == [
        "precision_at_5 is 0.4, below the minimum of 0.5",
        "coverage is 0.71, more than 10 % below the deployed version's 0.8",
    ]


def test_a_person_may_overrule_the_gates_and_is_named() -> None:
    judgement = judged(0.4, 0.71, approved=True)
    assert judgement.deploy
    assert judgement.reasons[0] == "approved by Ann: we looked at it"
    assert len(judgement.reasons) == 3


def test_what_serves_already_goes_on_and_what_it_misses_is_told() -> None:
    judgement = judged(0.4, 0.8, serves=True)
    assert judgement.deploy
    assert judgement.reasons == ["it serves already", "precision_at_5 is 0.4, below the minimum of 0.5"]


def test_a_gate_on_a_metric_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(UnknownMetricError, match="coverage"):
        judge_release([{"metric": "recall"}], {"coverage": 1.0}, None, Release("arn:v", "v"), serves=False)
