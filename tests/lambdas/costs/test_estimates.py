"""What changes cost, in worked examples."""

import pytest

from lambdas.costs.estimates import CostEstimator, Estimate, difference, total_cost
from lambdas.costs.price_table import load_prices

COSTS = CostEstimator(load_prices())
V1, V2 = ("arn:aws:personalize:::recipe/aws-user-personalization" + tail for tail in ("", "-v2"))


def test_an_idle_campaign_costs_its_throughput_all_month() -> None:
    """AWS's own example: 86,400 requests a day are billed for 1 TPS, about 144 USD in 30 days."""
    monthly = COSTS.serving("campaign", {"minProvisionedTPS": 1}, V1).monthly
    assert monthly == pytest.approx(144 / 720 * 730, rel=0.005)
    five = COSTS.serving("campaign", {"minProvisionedTPS": 5}, V1).monthly
    assert five == pytest.approx(5 * (monthly or 0))
    assert COSTS.serving("campaign", {}, V2).monthly == pytest.approx(0.15 * 3.6 * 730)


def test_a_recommender_costs_its_users_and_requests_beyond_those_included() -> None:
    one = COSTS.serving("recommender", {"recommenderConfig": {"minRecommendationRequestsPerSecond": 1}}, None)
    assert one.monthly == pytest.approx(0.375 * 730)
    two = COSTS.serving("recommender", {"recommenderConfig": {"minRecommendationRequestsPerSecond": 2}}, None)
    assert two.monthly == pytest.approx((0.375 + 3.2 * 0.0833) * 730)
    assert not two.verified
    assert COSTS.serving("recommender", {"status": "INACTIVE"}, None).is_free


def test_trainings_are_paid_by_hours_or_by_interactions() -> None:
    assert COSTS.training(V1, 2.5, 1_000_000).once == pytest.approx(0.6)
    assert COSTS.training(V2, 2.5, 5_000_000).once == pytest.approx(10)
    unknown = COSTS.training(V2, 2.5, None)
    assert (unknown.once, unknown.basis) == (None, "$0.002 per 1,000 interactions trained on")


def test_of_a_batch_job_only_the_price_is_known() -> None:
    themes = COSTS.batch("batch_inference_job", {"batchInferenceJobMode": "THEME_GENERATION"}, V1)
    kinds = [themes, COSTS.batch("batch_segment_job", {}, V1), COSTS.batch("batch_inference_job", {}, V1)]
    assert [one.once for one in kinds] == [None, None, None]
    assert len({one.basis for one in kinds}) == 3


def test_a_change_costs_the_difference_and_a_sum_says_what_it_does_not_know() -> None:
    one, four = (COSTS.serving("campaign", {"minProvisionedTPS": tps}, V1) for tps in (1, 4))
    assert difference(one, four).monthly == pytest.approx(-3 * (one.monthly or 0))
    assert difference(four, four).is_free
    total = total_cost([one, difference(four, one), Estimate(None), Estimate(2, 0, verified=False)])
    assert (total.once, total.unknown, total.verified) == (2, 1, False)
    assert total.monthly == four.monthly
    assert COSTS.imported(20_000_000_000).once == pytest.approx(1)
