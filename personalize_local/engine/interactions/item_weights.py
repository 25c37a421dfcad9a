"""Compute item-to-item weights that are blind to order, each from the users who have both items, and mix them with it.

EASE is a regularised linear autoencoder (Steck 2019). RP3beta is the chance to come from one item to another in a walk
over users (Paudel, Christoffel, Newell and Bernstein 2016). Cosine is shrunk towards zero where few users speak. Where
users are fewer than items, weights stay a product through the users: nothing of the size items x items is held.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_array

from personalize_local.engine.interactions.cooccurrence import DENSE_LIMIT, CooccurrenceCounts, Matrix
from personalize_local.engine.interactions.histories import Floats
from personalize_local.engine.interactions.sparse_matrices import (
    Sparse,
    cells_of,
    from_rows,
    product,
    scaled_cells,
)
from personalize_local.engine.interactions.weights import HeldWeights, MixedWeights, ThroughUsers, Weights
from personalize_local.engine.processes.parallel_inverse import invert
from personalize_local.engine.processes.parallel_rows import in_parallel

RIDGE = 200.0
_SHRINKAGE = 10.0  # users
_WALK_DISCOUNT = 0.3  # beta: how much less a walk is worth the more popular the item it ends at
_WALK_POWER = 0.8  # alpha, of the chance of each step
_ROWS_AT_ONCE = 256
_MOST_CELLS = 100_000_000  # of a dense matrix
_MOST_PRODUCTS = 10**12  # multiplications: some ten seconds of a core


def fewer_users(counted: CooccurrenceCounts) -> bool:
    """Tell whether it costs less to go through the users: in multiplications of EASE, which costs most."""
    users, items = counted.n_users, counted.n_items
    products = users**3 / 3 + users**2 * items + users * items**2
    return products < min(items**3, _MOST_PRODUCTS) and users * items <= _MOST_CELLS


def ease(counted: CooccurrenceCounts, ridge: float = RIDGE) -> Weights:
    """Return EASE's weights, by the cheaper of its two sides."""
    if fewer_users(counted):
        return ease_of_users(counted.taken, ridge)
    return HeldWeights(ease_of_items(counted.shared, ridge))


def ease_of_items(shared: Matrix, ridge: float = RIDGE) -> npt.NDArray[np.float32]:
    """Return the item-to-item weights that best rebuild every history from the rest of it.

    `shared` is float32 items x items; so is the answer, whose diagonal is zero. In one matrix the inverse takes the
    place of the counts and the weights that of the inverse.

    Raises ArithmeticError when the counts plus the ridge are not positive definite.
    """
    weights = shared.copy() if isinstance(shared, np.ndarray) else shared.toarray()
    np.fill_diagonal(weights, weights.diagonal() + np.float32(ridge))
    invert(weights)
    scale = -weights.diagonal()

    def band(first: int, last: int) -> None:
        for start in range(first, last, _ROWS_AT_ONCE):
            weights[start : min(start + _ROWS_AT_ONCE, last)] /= scale

    in_parallel(band, len(weights), _ROWS_AT_ONCE)
    np.fill_diagonal(weights, 0)
    return weights


def ease_of_users(taken: Sparse, ridge: float = RIDGE) -> ThroughUsers:
    """Return the same weights from a matrix of users x users (Woodbury): the cheaper one where users are few.

    `taken` is float32 of shape (users, items) with one cell for each pair. (X'X + r)^-1 = (1 - X'(XX' + r)^-1 X) / r,
    and the weights are the inverse's cells over its diagonal, so that r itself drops out.

    Raises ArithmeticError when the counts plus the ridge are not positive definite.
    """
    gram = np.asarray((taken @ taken.T).toarray(order="F"), dtype=np.float32)
    np.fill_diagonal(gram, gram.diagonal() + np.float32(ridge))
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if failed:
        raise ArithmeticError("the matrix of shared items is not positive definite")
    spread_out, _ = lapack.strtrs(factor, taken.toarray(order="F"), lower=1, overwrite_b=1)
    right = np.ascontiguousarray(spread_out)
    diagonal = np.einsum("ui,ui->i", right, right)
    return ThroughUsers(np.ascontiguousarray(spread_out.T), right, 1 / (1 - diagonal), diagonal)


def walks(counted: CooccurrenceCounts) -> Weights:
    """Return RP3beta: the chance to come from an item to one of its users and on to another item of that user."""
    taken, popular = counted.taken, np.maximum(counted.popularity, 1)
    stepped = by_activity(taken, _WALK_POWER)
    rows = (popular**-_WALK_POWER).astype(np.float32)
    factors = (popular**-_WALK_DISCOUNT).astype(np.float32)
    if fewer_users(counted):
        left = from_rows(stepped.data * rows[stepped.indices], stepped.indices, stepped.indptr, stepped.shape[1])
        diagonal = np.bincount(left.indices, left.data * taken.data, counted.n_items).astype(np.float32)
        return ThroughUsers(csr_array(left.T), taken, factors, diagonal)
    if not counted.fits_densely:
        back = csr_array(stepped.T)
        return HeldWeights(
            counted.cut(lambda start, stop: scaled_cells(back[start:stop] @ taken, rows[start:stop], factors, start))
        )
    return HeldWeights(scaled(product(taken, stepped, dense=isinstance(counted.shared, np.ndarray)), rows, factors))


def by_activity(taken: Sparse, power: float) -> Sparse:
    """Return users x items with each user's cells over the power of their sum: who has everything says little.

    `taken` is float32 of shape (users, items), and so is the answer.
    """
    sums = np.maximum(np.asarray(taken.sum(axis=1)).ravel(), 1e-9)
    shares = np.repeat(sums**-power, np.diff(taken.indptr)).astype(np.float32)
    return from_rows(taken.data * shares, taken.indices, taken.indptr, taken.shape[1])


def shrunk_cosine(counted: CooccurrenceCounts) -> Weights:
    """Return the cosine of every two items' users, over a constant more where few users speak."""
    roots = np.sqrt(np.maximum(counted.popularity, 1))
    if not counted.fits_densely:
        taken, back = counted.taken, csr_array(counted.taken.T)
        return HeldWeights(counted.cut(lambda start, stop: _cosines(back[start:stop] @ taken, roots, start)))
    shared = counted.shared
    if isinstance(shared, np.ndarray):
        cosine = np.empty_like(shared)

        def band(first: int, last: int) -> None:
            for row in range(first, last):
                np.divide(shared[row], roots[row] * roots + np.float32(_SHRINKAGE), out=cosine[row])

        in_parallel(band, len(shared), _ROWS_AT_ONCE)
        np.fill_diagonal(cosine, 0)
        return HeldWeights(cosine)
    return HeldWeights(_cosines(shared, roots))


def _cosines(shared: Sparse, roots: Floats, first: int = 0) -> Sparse:
    """Return shrunk cosines of some rows of the shared users, from `first` on."""
    data, rows, columns = cells_of(shared)
    values = data / (roots[rows + first] * roots[columns] + np.float32(_SHRINKAGE)) * (rows + first != columns)
    return from_rows(values.astype(np.float32), shared.indices, shared.indptr, shared.shape[1])


_SINGLE: Final[Mapping[str, Callable[[CooccurrenceCounts], Weights]]] = {
    "EASE": ease,
    "RP3beta": walks,
    "cosine": shrunk_cosine,
}
_MIXED: Final = {"EASE + RP3beta": ("EASE", "RP3beta"), "RP3beta + cosine": ("RP3beta", "cosine")}
_SHARE_OF_SECOND: Final = 2.0


def base_names(counted: CooccurrenceCounts) -> list[str]:
    """Return the names of the weights that can be afforded: EASE holds a dense matrix, of the smaller side.

    Cosine stands in for EASE, in the mixture, too. Beside EASE it never was the best, and where users are few it would
    be the only one to need items x items.
    """
    if counted.fits_densely or fewer_users(counted):
        return ["EASE", "RP3beta", "EASE + RP3beta"]
    return ["RP3beta", "cosine", "RP3beta + cosine"]


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
    """Return the weights of that name, or walks where EASE would not fit in memory."""
    afforded = not name.startswith("EASE") or counted.fits_densely or fewer_users(counted)
    chosen = name if afforded else "RP3beta"
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
    return f"EASE is left out: {dense}, the limit is {_gigabytes(4 * DENSE_LIMIT**2)}; {words}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def scaled(matrix: Matrix, rows: Floats, columns: Floats) -> Matrix:
    """Multiply rows and columns, dense ones in place, and clear the diagonal.

    All are float32: the matrix of shape (items, items), `rows` and `columns` of shape (items,).
    """
    if isinstance(matrix, np.ndarray):
        matrix *= rows[:, None]
        matrix *= columns[None, :]
        np.fill_diagonal(matrix, 0)
        return matrix
    return scaled_cells(matrix, rows, columns)
