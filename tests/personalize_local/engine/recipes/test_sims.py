"""SIMS: what counts as similar, and what the percentiles of popularity do."""

import numpy as np
import pytest

from personalize_local.engine.interactions.histories import arrange
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.recipes.sims import shared_evidence, trusted_counts


def test_outside_the_percentiles_popularity_is_trusted_less() -> None:
    """Choice: the service says what the percentiles are for, not how they work."""
    counts = np.arange(1, 101, dtype=np.float32)
    trusted = trusted_counts(counts, 0.1, 0.9)
    assert len(set(trusted[:10].tolist())) == 1
    assert np.array_equal(trusted[15:85], counts[15:85])
    assert np.all(trusted[95:] < counts[95:])
    assert np.all(np.diff(trusted) >= 0)


@pytest.mark.parametrize("dense_from", [0.0, 1e9])
def test_evidence_is_what_its_definition_says(monkeypatch: pytest.MonkeyPatch, dense_from: float) -> None:
    monkeypatch.setattr("personalize_local.engine.linear_models.cooccurrence._DENSE_FROM", dense_from)
    generator = np.random.default_rng(3)
    users, items = generator.integers(0, 30, 300).astype(np.int32), generator.integers(0, 20, 300).astype(np.int32)
    past = arrange(users, items, np.arange(300), np.ones(300, dtype=np.float32), 30)
    counted = CooccurrenceCounts(20, 0)
    counted.add(past)
    held = past.unique(20).toarray()
    factors = np.linspace(0.5, 1.5, 20).astype(np.float32)
    expected = (held / np.sqrt(np.maximum(held.sum(axis=1, keepdims=True), 1))).T @ held
    expected = np.where(held.T @ held >= 3, expected, 0) * factors
    np.fill_diagonal(expected, 0)
    found = shared_evidence(counted, factors, 3)
    assert isinstance(found, np.ndarray) == (dense_from == 0)
    assert np.asarray(found if isinstance(found, np.ndarray) else found.toarray()) == pytest.approx(expected, abs=1e-5)
