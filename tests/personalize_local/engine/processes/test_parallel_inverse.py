"""The inverse in blocks, against the definition."""

import numpy as np
import pytest

from personalize_local.engine.processes import parallel_inverse
from personalize_local.engine.processes.parallel_inverse import invert


@pytest.mark.parametrize("least_split", [2, 7, 1_000])
@pytest.mark.parametrize("rows", [1, 2, 33, 90])
def test_a_matrix_times_its_inverse_is_the_identity(
    monkeypatch: pytest.MonkeyPatch, rows: int, least_split: int
) -> None:
    monkeypatch.setattr(parallel_inverse, "_LEAST_SPLIT", least_split)
    monkeypatch.setattr(parallel_inverse, "_ROWS_AT_ONCE", 8)
    half = np.random.default_rng(rows).normal(size=(rows, rows)).astype(np.float32)
    matrix = half @ half.T + 20 * np.eye(rows, dtype=np.float32)
    inverse = matrix.copy()
    invert(inverse)
    assert matrix @ inverse == pytest.approx(np.eye(rows), abs=1e-4)


@pytest.mark.parametrize("least_split", [2, 1_000])
def test_what_is_not_positive_definite_has_no_inverse(monkeypatch: pytest.MonkeyPatch, least_split: int) -> None:
    monkeypatch.setattr(parallel_inverse, "_LEAST_SPLIT", least_split)
    with pytest.raises(ArithmeticError, match="not positive definite"):
        invert(np.diag(np.array([1, 2, 3, -1], dtype=np.float32)))
