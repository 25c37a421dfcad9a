"""Recommend with well known algorithms, each over a small grid of settings: what the engine is compared with.

The neighbourhood methods are written from their papers: cosine with shrinkage, BM25 weights, RP3beta (Paudel,
Christoffel, Newell and Bernstein 2016) and EASE (Steck 2019). ALS and BPR are those of the library `implicit`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import bm25_weight
from scipy.sparse import csr_matrix, diags_array

Scores = npt.NDArray[np.float32]

_DENSE_ITEMS: Final = 10_000
_NEIGHBOURS: Final = 200


@dataclass(frozen=True)
class Peer:
    """A fitted algorithm under one setting: the scores of all items for rows of users x items, and for single items."""

    method: str
    setting: str
    for_rows: Callable[[npt.NDArray[np.int64]], Scores]  # positions of users
    for_items: Callable[[npt.NDArray[np.int64]], Scores] | None = (
        None  # positions of items; None: it has no such answer
    )


def tuned_peers(taken: csr_matrix) -> Iterator[Peer]:
    """Yield every peer under every setting of its grid; `taken` is users x items, float32 ones."""
    for neighbours in (_cosine, _bm25, _rp3beta):
        yield from neighbours(taken)
    if taken.shape[1] <= _DENSE_ITEMS:
        yield from (
            _of_matrix("EASE", f"ridge {ridge}", ease_weights(taken, ridge), taken) for ridge in (100, 400, 1500)
        )
    yield from _factor_peers(taken)


def _cosine(taken: csr_matrix) -> Iterator[Peer]:
    """Yield item-to-item cosine, plain and with shrinkage."""
    shared = csr_matrix(taken.T @ taken)
    popular = np.sqrt(shared.diagonal())
    for shrinkage in (0, 10, 100):
        cells = shared.tocoo()
        values = cells.data / (popular[cells.row] * popular[cells.col] + shrinkage) * (cells.row != cells.col)
        weights = csr_matrix((values, (cells.row, cells.col)), shape=shared.shape)
        yield _of_matrix("cosine", f"shrinkage {shrinkage}", nearest(weights), taken)


def _bm25(taken: csr_matrix) -> Iterator[Peer]:
    for k1 in (1.2, 100.0):
        weighted = csr_matrix(bm25_weight(taken.T, K1=k1, B=0.75), dtype=np.float32)
        weights = csr_matrix(weighted @ weighted.T)
        weights.setdiag(0)
        yield _of_matrix("BM25", f"K1 {k1}", nearest(weights), taken)


def _rp3beta(taken: csr_matrix) -> Iterator[Peer]:
    users = np.maximum(np.asarray(taken.sum(axis=1)).ravel(), 1)
    items = np.maximum(np.asarray(taken.sum(axis=0)).ravel(), 1)
    for alpha in (0.8, 1.0):
        walked = csr_matrix((diags_array(items**-alpha) @ taken.T) @ (diags_array(users**-alpha) @ taken))
        for beta in (0.3, 0.6):
            weights = csr_matrix(walked @ diags_array(items**-beta), dtype=np.float32)
            weights.setdiag(0)
            yield _of_matrix("RP3beta", f"alpha {alpha}, beta {beta}", nearest(weights), taken)


def ease_weights(taken: csr_matrix, ridge: float) -> Scores:
    """Return EASE's item-to-item weights, by the inverse of the matrix of shared users."""
    gram = (taken.T @ taken).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += ridge
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(weights, dtype=np.float32)


def nearest(weights: csr_matrix, keep: int = _NEIGHBOURS) -> csr_matrix:
    """Return the matrix with the `keep` largest cells of each row."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((-weights.data, rows))
    kept = order[np.arange(weights.nnz) - np.repeat(weights.indptr[:-1], np.diff(weights.indptr)) < keep]
    return csr_matrix((weights.data[kept], (rows[kept], weights.indices[kept])), shape=weights.shape, dtype=np.float32)


def _of_matrix(method: str, setting: str, weights: Any, taken: csr_matrix) -> Peer:
    def dense(product: Any) -> Scores:
        return np.asarray(product.toarray() if hasattr(product, "toarray") else product, dtype=np.float32)

    return Peer(method, setting, lambda users: dense(taken[users] @ weights), lambda items: dense(weights[items]))


def _factor_peers(taken: csr_matrix) -> Iterator[Peer]:
    for factors, alpha in ((32, 1.0), (64, 1.0), (64, 10.0), (128, 1.0)):
        model = AlternatingLeastSquares(factors=factors, alpha=alpha, iterations=15, random_state=0)
        yield _of_factors("ALS", f"{factors} factors, alpha {alpha:g}", model, taken)
    for rate in (0.01, 0.05):
        ranking = BayesianPersonalizedRanking(factors=64, learning_rate=rate, iterations=100, random_state=0)
        yield _of_factors("BPR", f"rate {rate}", ranking, taken)


def _of_factors(method: str, setting: str, model: Any, taken: csr_matrix) -> Peer:
    model.fit(taken, show_progress=False)
    return Peer(method, setting, lambda users: np.asarray(model.user_factors[users] @ model.item_factors.T))
