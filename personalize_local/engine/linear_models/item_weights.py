"""Compute item-to-item weights that are blind to order, each from the users who have both items, and mix them with it.

EASE is a regularised linear autoencoder (Steck 2019), here as if trained with dropout (Steck 2020), that lists what is
popular a little less. RP3beta is the chance to come from one item to another in a walk over users (Paudel,
Christoffel, Newell and Bernstein 2016). Where users are fewer than items, weights stay a product through
the users: nothing of the size items x items is held.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_array

from personalize_local.engine.interactions.histories import Floats
from personalize_local.engine.interactions.sparse_matrices import (
    Matrix,
    Sparse,
    from_rows,
    placed,
    product,
    scaled,
    scaled_cells,
    strongest,
)
from personalize_local.engine.linear_models.cooccurrence import DENSE_LIMIT, CooccurrenceCounts
from personalize_local.engine.linear_models.weights import HeldWeights, MixedWeights, ThroughUsers, Weights
from personalize_local.engine.processes.parallel_inverse import invert
from personalize_local.engine.processes.parallel_rows import in_parallel

WALKS: Final = "RP3beta"  # the name of weights
ACTIVITY = 0.5  # the power of how much a user has, one over which a user counts by
_DROPOUT_ODDS = 0.6  # of a share dropped to a share kept: the part of its own count that an item gets on top
_POPULAR_ITEMS = 5_000  # that EASE speaks about where not all items can be afforded
_WALK_DISCOUNT = 0.3  # beta: how much less a walk is worth the more popular the item it ends at
_WALK_POWER = 0.8  # alpha, of the chance of the first step
_ROWS_AT_ONCE = 256
_MOST_CELLS = 100_000_000  # of a dense matrix
_MOST_PRODUCTS = 10**12  # multiplications: some ten seconds of a core


@dataclass(frozen=True)
class EaseSettings:
    """How much EASE is regularised."""

    ridge: float  # in users
    column_power: float  # of what each column is divided by; 1 is the paper's, less holds popular items back


GENTLE: Final = EaseSettings(50.0, 0.8)
FIRM: Final = EaseSettings(200.0, 1.0)


def fewer_users(counted: CooccurrenceCounts) -> bool:
    """Tell whether it costs less to go through the users: in multiplications of EASE, which costs most."""
    users, items = counted.n_users, counted.n_items
    products = users**3 / 3 + users**2 * items + users * items**2
    return products < min(items**3, _MOST_PRODUCTS) and users * items <= _MOST_CELLS


def ease(counted: CooccurrenceCounts, settings: EaseSettings = GENTLE) -> Weights:
    """Return EASE's weights, by the cheaper of its two sides; of the most popular items where neither is affordable."""
    if fewer_users(counted):
        return ease_of_users(counted.taken, counted.weighted, settings)
    if counted.fits_densely:
        shared = counted.shared
        penalty = penalties(shared.diagonal(), counted.popularity, settings.ridge)
        return HeldWeights(ease_of_items(shared, penalty, settings.column_power))
    return HeldWeights(_ease_of_popular(counted, settings))


def penalties(own: Floats, popularity: Floats, ridge: float) -> Floats:
    """Return what is added to each item's own count: a share of it, and a ridge in units of what a user counts by.

    `own` is the diagonal of the matrix of shared users, of shape (items,) like `popularity` and the answer; float32.
    """
    scaled_ridge = ridge * float(own.sum()) / max(float(popularity.sum()), 1e-9)
    return np.asarray(np.float32(scaled_ridge) + np.float32(_DROPOUT_ODDS) * own, dtype=np.float32)


def _ease_of_popular(counted: CooccurrenceCounts, settings: EaseSettings) -> Sparse:
    """Return items x items, float32, in which EASE's weights of the most popular items are the only cells."""
    popular = np.sort(np.argsort(-counted.popularity, kind="stable")[:_POPULAR_ITEMS])
    taken, weighted = csr_array(counted.taken[:, popular]), csr_array(counted.weighted[:, popular])
    shared = product(taken, weighted, dense=True)
    penalty = penalties(shared.diagonal(), counted.popularity[popular], settings.ridge)
    weights = ease_of_items(shared, penalty, settings.column_power)
    rows = strongest(weights, counted.held_cells)
    columns = popular[rows.indices].astype(np.int32)
    return placed(from_rows(rows.data, columns, rows.indptr, counted.n_items), popular, counted.n_items)


def ease_of_items(shared: Matrix, penalty: Floats, column_power: float) -> npt.NDArray[np.float32]:
    """Return the item-to-item weights that best rebuild every history from the rest of it.

    `shared` is float32 items x items; so is the answer, whose diagonal is zero. In one matrix the inverse takes the
    place of the counts and the weights that of the inverse. `penalty` is added to each item's own count.

    Raises ArithmeticError when the counts plus the penalty are not positive definite.
    """
    weights = shared.copy() if isinstance(shared, np.ndarray) else shared.toarray()
    np.fill_diagonal(weights, weights.diagonal() + penalty)
    invert(weights)
    scale = -(weights.diagonal() ** np.float32(column_power))

    def band(first: int, last: int) -> None:
        for start in range(first, last, _ROWS_AT_ONCE):
            weights[start : min(start + _ROWS_AT_ONCE, last)] /= scale

    in_parallel(band, len(weights), _ROWS_AT_ONCE)
    np.fill_diagonal(weights, 0)
    return weights


def ease_of_users(taken: Sparse, weighted: Sparse, settings: EaseSettings) -> ThroughUsers:
    """Return the same weights from a matrix of users x users (Woodbury): the cheaper one where users are few.

    Both are float32 of shape (users, items) with one cell for each pair. With Z the histories in units of the root of
    what a user counts by and of the penalties d, (X'X + d)^-1 = d^-1/2 (1 - Z'(ZZ' + 1)^-1 Z) d^-1/2.

    Raises ArithmeticError when the counts plus the penalty are not positive definite.
    """
    cells = taken.data * weighted.data
    own = np.bincount(taken.indices, cells, taken.shape[1]).astype(np.float32)
    popularity = np.bincount(taken.indices, minlength=taken.shape[1]).astype(np.float32)
    roots = np.sqrt(penalties(own, popularity, settings.ridge))
    scaled_down = from_rows(np.sqrt(cells) / roots[taken.indices], taken.indices, taken.indptr, taken.shape[1])
    gram = np.asarray((scaled_down @ scaled_down.T).toarray(order="F"), dtype=np.float32)
    np.fill_diagonal(gram, gram.diagonal() + np.float32(1))
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if failed:
        raise ArithmeticError("the matrix of shared items is not positive definite")
    solved, _ = lapack.spotrs(factor, scaled_down.toarray(order="F"), lower=1, overwrite_b=1)
    right = np.ascontiguousarray(solved)
    left = csr_array(scaled_down.T)
    users, items = left.indices, np.repeat(np.arange(left.shape[0]), np.diff(left.indptr))
    explained = np.bincount(items, left.data * right[users, items], left.shape[0]).astype(np.float32)
    left.data /= roots[items]
    factors = ((1 - explained) / roots**2) ** np.float32(-settings.column_power) / roots
    diagonal = np.asarray(explained / roots, dtype=np.float32)
    return ThroughUsers(left, right, np.asarray(factors, dtype=np.float32), diagonal)


def walks(counted: CooccurrenceCounts) -> Weights:
    """Return RP3beta: the chance to come from an item to one of its users and on to another item of that user.

    The power of the second step is what users count by.
    """
    popular = np.maximum(counted.popularity, 1)
    rows = (popular**-_WALK_POWER).astype(np.float32)
    factors = (popular**-_WALK_DISCOUNT).astype(np.float32)
    if fewer_users(counted):
        taken, stepped = counted.taken, counted.weighted
        left = from_rows(stepped.data * rows[stepped.indices], stepped.indices, stepped.indptr, stepped.shape[1])
        diagonal = np.bincount(left.indices, left.data * taken.data, counted.n_items).astype(np.float32)
        return ThroughUsers(csr_array(left.T), taken, factors, diagonal)
    if not counted.fits_densely:
        taken, back = counted.taken, csr_array(counted.weighted.T)
        return HeldWeights(
            counted.cut(lambda start, stop: scaled_cells(back[start:stop] @ taken, rows[start:stop], factors, start))
        )
    return HeldWeights(scaled(counted.shared.copy(), rows, factors))


_SINGLE: Final[Mapping[str, Callable[[CooccurrenceCounts], Weights]]] = {
    "EASE": ease,
    "firm EASE": partial(ease, settings=FIRM),
    WALKS: walks,
}
_MIXED: Final = {f"{ease_name} + {WALKS}": (ease_name, WALKS) for ease_name in ("EASE", "firm EASE")}
_SHARE_OF_SECOND: Final = 0.5


def base_names(counted: CooccurrenceCounts) -> list[str]:
    """Return the names of the weights that may be the best, mixtures first: they are the safer choice.

    EASE alone is among them only where it speaks about all items.
    """
    if counted.fits_densely or fewer_users(counted):
        return ["firm EASE + RP3beta", "EASE"]
    return ["EASE + RP3beta", WALKS]


def bases(counted: CooccurrenceCounts, names: Iterable[str]) -> dict[str, Weights]:
    """Return the weights of these names; what a mixture consists of is computed once."""
    wanted = list(names)
    parts = dict.fromkeys(part for name in wanted for part in _MIXED.get(name, (name,)))
    found = {part: _SINGLE[part](counted) for part in parts}
    for name in wanted:
        if name in _MIXED:
            first, second = (found[part] for part in _MIXED[name])
            found[name] = MixedWeights.of_parts(first, second, _SHARE_OF_SECOND)
    return {name: found[name] for name in wanted}


def base_weights(counted: CooccurrenceCounts, name: str = "EASE") -> Weights:
    """Return the weights of that name, or walks where EASE does not speak about all items, or for a name of old."""
    afforded = name not in ("EASE", "firm EASE") or counted.fits_densely or fewer_users(counted)
    chosen = name if afforded and name in {*_SINGLE, *_MIXED} else WALKS
    return bases(counted, [chosen])[chosen]


def memory_limits(counted: CooccurrenceCounts) -> str:
    """Return in words what is left out for the memory it would take; nothing where there is room for all."""
    size = counted.n_items
    if counted.fits_densely:
        return ""
    words = f"sparse weights hold {counted.held_cells:,} items beside each, {_gigabytes(size * 8 * counted.held_cells)}"
    if fewer_users(counted):
        return words
    dense = f"a dense matrix of {size:,} x {size:,} items takes {_gigabytes(4 * size**2)}"
    least = f"EASE speaks about the {_POPULAR_ITEMS:,} most popular items"
    return f"{least}: {dense}, the limit is {_gigabytes(4 * DENSE_LIMIT**2)}; {words}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
