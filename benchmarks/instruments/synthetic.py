"""Planted data for the benchmarks: users with tastes, items in clusters, and on demand tastes that drift."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

START = 1_700_000_000
SECONDS = 180 * 86_400

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Planted:
    """Interactions as arrays, and the cluster each item was planted in."""

    users: Ints
    items: Ints
    times: npt.NDArray[np.int64]
    clusters: Ints
    n_users: int

    def frame(self) -> pl.DataFrame:
        """Return the interactions as the service's columns."""
        return pl.DataFrame({"USER_ID": self.users, "ITEM_ID": self.items, "TIMESTAMP": self.times}).with_columns(
            pl.format("u{}", "USER_ID").alias("USER_ID"), pl.format("i{}", "ITEM_ID").alias("ITEM_ID")
        )


def tastes(n_users: int, n_items: int, n_events: int, *, clusters: int = 50, seed: int = 7) -> Planted:
    """Return users who draw 4 of 5 items from two clusters of their own and the fifth from what is popular.

    Every pair of user and item occurs once, and the order of events says nothing.
    """
    generator = np.random.default_rng(seed)
    cluster = generator.integers(0, clusters, n_items).astype(np.int32)
    weights = _popularity(generator, n_items)
    own = generator.integers(0, clusters, (n_users, 2))
    draws = int(n_events * 1.6)
    users = _active_users(generator, n_users, draws)
    tasteful = generator.random(draws) < 0.8  # noqa: PLR2004 - four of five
    chosen = own[users, (generator.random(draws) < 0.35).astype(np.int64)]  # noqa: PLR2004 - the lesser taste
    items = np.where(tasteful, _from_cluster(generator, cluster, weights, chosen), _from_all(generator, weights, draws))
    pairs = np.unique(users.astype(np.int64) * n_items + items)
    pairs = generator.permutation(pairs)[:n_events]
    users, items = np.divmod(pairs, n_items)
    times = START + generator.integers(0, SECONDS, len(pairs))
    return Planted(users.astype(np.int32), items.astype(np.int32), times, cluster, n_users)


def drifting(n_users: int, n_items: int, n_events: int, *, clusters: int = 50, seed: int = 11) -> Planted:
    """Return users whose taste walks from a cluster to the next one every few events, so that order matters."""
    generator = np.random.default_rng(seed)
    cluster = generator.integers(0, clusters, n_items).astype(np.int32)
    weights = _popularity(generator, n_items)
    length = max(4, n_events // n_users)
    step = generator.random((n_users, length)) < 0.15  # noqa: PLR2004 - a new taste about every seven events
    walk = (generator.integers(0, clusters, n_users)[:, None] + np.cumsum(step, axis=1)) % clusters
    users = np.repeat(np.arange(n_users, dtype=np.int32), length)
    tasteful = generator.random(len(users)) < 0.85  # noqa: PLR2004 - most events follow the taste of the moment
    own = _from_cluster(generator, cluster, weights, walk.ravel())
    items = np.where(tasteful, own, _from_all(generator, weights, len(users)))
    pairs = users.astype(np.int64) * n_items + items
    _, first = np.unique(pairs, return_index=True)
    kept = np.sort(first)
    times = START + np.tile(np.arange(length, dtype=np.int64) * 3600, n_users)
    return Planted(users[kept], items[kept].astype(np.int32), times[kept], cluster, n_users)


def _popularity(generator: np.random.Generator, n_items: int) -> npt.NDArray[np.float64]:
    weights = (np.arange(n_items) + 20.0) ** -1.0
    return np.asarray(generator.permutation(weights / weights.sum()))


def _active_users(generator: np.random.Generator, n_users: int, draws: int) -> Ints:
    """Return users, some of them several times as active as others."""
    activity = generator.gamma(3.0, 1.0, n_users)
    return generator.choice(n_users, size=draws, p=activity / activity.sum()).astype(np.int32)


def _from_all(generator: np.random.Generator, weights: npt.NDArray[np.float64], draws: int) -> npt.NDArray[np.int64]:
    line = np.cumsum(weights)
    return np.asarray(np.searchsorted(line, generator.random(draws) * line[-1]).clip(0, len(weights) - 1))


def _from_cluster(
    generator: np.random.Generator,
    cluster: Ints,
    weights: npt.NDArray[np.float64],
    wanted: npt.NDArray[np.integer],
) -> npt.NDArray[np.int64]:
    """Draw an item of each wanted cluster by its weight: items lie one cluster after the other on a line of weights."""
    order = np.argsort(cluster, kind="stable")
    line = np.concatenate([[0.0], np.cumsum(weights[order])])
    edges = line[np.searchsorted(cluster[order], np.arange(int(cluster.max()) + 2))]
    low, high = edges[wanted], edges[wanted + 1]
    place = low + generator.random(len(wanted)) * (high - low)
    return np.asarray(order[(np.searchsorted(line, place, side="right") - 1).clip(0, len(order) - 1)])
