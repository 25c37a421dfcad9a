"""The metrics against the developer guide's own worked example, and by hand."""

import numpy as np
import pytest

from personalize_local.engine.evaluation.metrics import (
    coverage,
    find_hits,
    item_metrics,
    mean_reciprocal_rank,
    ndcg,
    precision,
)
from personalize_local.engine.interactions.histories import Histories, arrange


def truth(*users: list[int], weights: list[float] | None = None) -> Histories:
    lengths = [len(items) for items in users]
    items = np.array([item for user in users for item in user], dtype=np.int32)
    given = np.ones(len(items)) if weights is None else np.array(weights)
    owners = np.repeat(np.arange(len(users), dtype=np.int32), lengths)
    times = np.arange(len(items), dtype=np.int64)
    return arrange(owners, items, times, given.astype(np.float32), len(users))


def test_fact_the_guides_example() -> None:
    """Fact: two relevant items at places 2 and 5 of 5 give RR 0.5, NDCG@5 0.6241 and precision@5 0.4."""
    hits, _ = find_hits(np.array([[10, 1, 11, 12, 2]], dtype=np.int32), truth([1, 2]), 20)
    assert mean_reciprocal_rank(hits) == 0.5
    assert round(ndcg(hits, np.array([2]), 5), 4) == 0.6241
    assert precision(hits, 5) == pytest.approx(0.4)


def test_fact_users_without_a_hit_count_as_zero() -> None:
    ranked = np.array([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]], dtype=np.int32)
    hits, _ = find_hits(ranked, truth([1], [9]), 20)
    assert ndcg(hits, np.array([1, 1]), 5) == 0.5
    assert mean_reciprocal_rank(hits) == 0.5
    assert precision(hits, 5) == pytest.approx(0.1)


def test_fact_short_lists_are_measured_at_the_full_length() -> None:
    hits, _ = find_hits(np.array([[1, -1, -1, -1, -1]], dtype=np.int32), truth([1]), 20)
    assert precision(hits, 5) == pytest.approx(0.2)


def test_a_missing_place_is_never_a_hit() -> None:
    hits, _ = find_hits(np.array([[-1, -1], [-1, 0]], dtype=np.int32), truth([19], [0]), 20)
    assert hits.tolist() == [[False, False], [False, True]]


def test_coverage_counts_different_items() -> None:
    assert coverage(np.array([[0, 1], [1, -1]], dtype=np.int32), 8) == 0.25


def test_fact_weights_only_matter_as_ratios() -> None:
    """Fact: with eventsConfig the gains are the weights over their mean, so only ratios count."""
    ranked = np.array([[1, 7, 2, 8, 9]], dtype=np.int32)
    key = "normalized_discounted_cumulative_gain_with_event_weights_at_5"
    small = item_metrics(ranked, truth([1, 2], weights=[0.1, 0.3]), 20, weights=True)[key]
    large = item_metrics(ranked, truth([1, 2], weights=[0.3, 0.9]), 20, weights=True)[key]
    by_hand = (1 / np.log2(2) + 3 / np.log2(4)) / (3 / np.log2(2) + 1 / np.log2(3))
    assert small == large == round(by_hand, 4)


def test_fact_exactly_the_documented_keys_with_four_decimals() -> None:
    metrics = item_metrics(np.array([[1, 2, 3]], dtype=np.int32), truth([3]), 7)
    assert sorted(metrics) == [
        "coverage",
        "mean_reciprocal_rank_at_25",
        "normalized_discounted_cumulative_gain_at_10",
        "normalized_discounted_cumulative_gain_at_25",
        "normalized_discounted_cumulative_gain_at_5",
        "precision_at_10",
        "precision_at_25",
        "precision_at_5",
    ]
    assert metrics["mean_reciprocal_rank_at_25"] == 0.3333
