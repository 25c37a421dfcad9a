"""Lists for many users at once: scoring and choosing the best, against `implicit` and against the bare products.

`python -m benchmarks.scoring [--users 50000] [--repeats 3]`. Seen items are filtered on both sides. The bound is the
matrix products alone, on the same threads, with nothing chosen and nothing filtered.
"""

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

from benchmarks.instruments.bars import Bar, paired, report
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.evaluation.ranked_lists import ranked
from personalize_local.engine.interactions.histories import Floats, Histories, arrange
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.linear_models.fitted_models import Factors, FitSettings, ItemToItem, Prior
from personalize_local.engine.linear_models.item_vectors import item_vectors
from personalize_local.engine.linear_models.item_weights import base_weights
from personalize_local.engine.linear_models.weights import blend
from personalize_local.engine.processes.parallel_rows import in_parallel

_FACTORS = 64
_LENGTH = 25
_EVENTS_PER_USER = 40


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=50_000)
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    bars = [*factors(given.users, 5_000, 2.5, given.repeats), *factors(given.users, 20_000, 1.2, given.repeats)]
    bars.append(item_to_item(given.users // 5, 5_000, given.repeats))
    return report(f"scoring {given.users:,} users, lists of {_LENGTH}", bars)


def histories(users: int, items: int) -> Histories:
    """Return planted histories."""
    planted = tastes(users, items, users * _EVENTS_PER_USER)
    weights = np.ones(len(planted.items), dtype=np.float32)
    return arrange(planted.users, planted.items, planted.times, weights, users)


def factors(users: int, items: int, times_peer: float, repeats: int) -> list[Bar]:
    """Compare the factor model of User-Personalization with ALS of the same rank."""
    past = histories(users, items)
    counted = CooccurrenceCounts(items, 0)
    counted.add(past)
    nothing = np.zeros(items, dtype=np.float32)
    model = Factors(item_vectors(counted, _FACTORS), Prior.at_all_times(nothing), nothing, FitSettings(rank=_FACTORS))
    profiles = np.asarray(past.matrix(items) @ model.vectors)
    known = csr_matrix(past.unique(items))
    peer = AlternatingLeastSquares(factors=_FACTORS, random_state=0)
    peer.user_factors, peer.item_factors = profiles, model.vectors  # speed does not depend on what they were fitted to
    ours = partial(ranked, model, past, items, _LENGTH)
    theirs = partial(peer.recommend, np.arange(users), known, N=_LENGTH, filter_already_liked_items=True)
    mine, peers = paired(ours, theirs, repeats)
    again, bare = paired(ours, partial(products, profiles, model.vectors), repeats)
    rate = f"{users / mine / 1000:.0f}k, {users / peers / 1000:.0f}k users/s"
    return [
        Bar(f"factors, {items:,} items, times implicit.recommend", peers / mine, times_peer, detail=rate),
        Bar(
            f"factors, {items:,} items, of the bare products", bare / again, 0.35, detail=f"{users / bare / 1000:.0f}k"
        ),
    ]


def products(profiles: Floats, vectors: Floats) -> None:
    """Multiply, and do nothing else, in blocks that stay in the cache."""
    height = max(1, min(256, (4 << 20) // (4 * len(vectors))))
    transposed = vectors.T

    def work(first: int, last: int) -> None:
        out = np.empty((height, len(vectors)), dtype=np.float32)
        for start in range(first, last, height):
            stop = min(start + height, last)
            np.matmul(profiles[start:stop], transposed, out=out[: stop - start])

    in_parallel(work, len(profiles), height)


def item_to_item(users: int, items: int, repeats: int) -> Bar:
    """Compare the item-to-item model of User-Personalization with implicit's cosine neighbours, 200 on both sides."""
    past = histories(users, items)
    counted = CooccurrenceCounts(items, 0)
    counted.add(past)
    nothing = np.zeros(items, dtype=np.float32)
    model = ItemToItem(
        blend(base_weights(counted), None, 0.0, 200), Prior.at_all_times(nothing), nothing, FitSettings()
    )
    known = csr_matrix(past.unique(items))
    peer = CosineRecommender(K=200)
    peer.fit(known, show_progress=False)
    theirs: Callable[[], object] = partial(peer.recommend, np.arange(users), known, N=_LENGTH)
    mine, peers = paired(partial(ranked, model, past, items, _LENGTH), theirs, repeats)
    rate = f"{users / mine / 1000:.1f}k, {users / peers / 1000:.1f}k users/s"
    return Bar(f"item to item, {items:,} items, times implicit", peers / mine, 1.3, detail=rate)


if __name__ == "__main__":
    raise SystemExit(main())
