"""Quality of what is recommended, on planted data, against popularity and the peer library `implicit`.

`python -m benchmarks.quality [--users 50000] [--items 5000] [--interactions 5000000]`. Every comparison is made on the
same held-out users and events; lists leave out what a user already has, for us and for the peers.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

from benchmarks.instruments.bars import Bar, report, snapshot_of, spec
from benchmarks.instruments.synthetic import START, Planted, drifting, tastes
from personalize_local.engine.evaluation.metrics import find_hits, ndcg, segment_metrics
from personalize_local.engine.evaluation.ranked_lists import Scorer, ranked
from personalize_local.engine.interactions.held_out import (
    HeldOut,
    UserSplit,
    newest_held_out,
    segments_held_out,
    split_users,
)
from personalize_local.engine.interactions.histories import Floats, Histories, arrange, one_item_each
from personalize_local.engine.interactions.training_data import TrainingData, load_training_data
from personalize_local.engine.recipes.item_affinity import fit_affinity, one_per_item
from personalize_local.engine.recipes.popularity_count import fit_popularity
from personalize_local.engine.recipes.trending_now import fit_trending
from personalize_local.engine.training.solution_options import read_options, recipe_named

_FACTORS = 64
_LEAST_AUC = 0.9


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=50_000)
    arguments.add_argument("--items", type=int, default=5_000)
    arguments.add_argument("--interactions", type=int, default=5_000_000)
    given = arguments.parse_args()
    size = (given.users, given.items, given.interactions)
    with tempfile.TemporaryDirectory() as folder:
        plain = Comparison.of(tastes(*size), Path(folder) / "plain")
        bars = [
            *personalization(plain),
            one_item(plain),
            ranking(plain),
            segments(plain),
            trends(),
            order(Comparison.of(drifting(size[0] // 2, size[1] // 2, size[2] // 4), Path(folder) / "order")),
        ]
    return report(f"quality on {size[0]:,} users x {size[1]:,} items x {size[2]:,} interactions", bars)


@dataclass(frozen=True)
class Comparison:
    """One planted data set and its split: everybody is fitted to and measured on the same users."""

    data: TrainingData
    split: UserSplit
    held_out: HeldOut

    @staticmethod
    def of(planted: Planted, folder: Path) -> "Comparison":
        """Read the planted interactions the way a training does."""
        data = load_training_data(snapshot_of(planted.frame(), folder), read_options(spec("aws-user-personalization")))
        split = split_users(data.histories.lengths, seed=0)
        return Comparison(data, split, newest_held_out(data.histories.of(split.test)))

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.data.catalogue)

    @property
    def fitted_to(self) -> Histories:
        """The histories models are fitted to."""
        return self.data.histories.of(self.split.fit)

    def learned(self, recipe: str, **values: str) -> Scorer:
        """Return the product's own model of a recipe, fitted without the test users."""
        options = read_options(spec(recipe)).with_values(**values)
        return recipe_named(recipe).estimator(options).fit(self.data, self.split)

    def score(self, lists: npt.NDArray[np.integer]) -> float:
        """Return NDCG@10 of lists for the test users."""
        hits, _ = find_hits(lists.astype(np.int32), self.held_out.truth, self.n_items)
        return ndcg(hits, np.diff(self.held_out.truth.unique(self.n_items).indptr), 10)

    def lists(self, scorer: Scorer, queries: Histories) -> npt.NDArray[np.int32]:
        """Return lists that leave out what the test users have."""
        past = self.held_out.past

        def leave_out(start: int, stop: int, block: Floats) -> None:
            part = past.slice(start, stop)
            block[part.users(), part.items] = -np.inf

        return ranked(scorer, queries, self.n_items, 10, restrict=leave_out).items


def personalization(compared: Comparison) -> list[Bar]:
    """Compare User-Personalization with popularity and with ALS."""
    past = compared.held_out.past
    ours = compared.score(compared.lists(compared.learned("aws-user-personalization"), past))
    popular = compared.score(compared.lists(fit_popularity(compared.fitted_to, compared.n_items), past))
    peer = AlternatingLeastSquares(factors=_FACTORS, iterations=15, random_state=0)
    peer.fit(csr_matrix(compared.fitted_to.unique(compared.n_items)), show_progress=False)
    known = csr_matrix(past.unique(compared.n_items))
    rows = np.arange(len(past))
    lists, _ = peer.recommend(rows, known, N=10, filter_already_liked_items=True, recalculate_user=True)
    als = compared.score(lists)
    figures = f"NDCG@10 {ours:.4f}, popularity {popular:.4f}, ALS {als:.4f}"
    return [
        Bar("User-Personalization, times popularity", ours / popular, 3.0, detail=figures),
        Bar("User-Personalization, of implicit ALS(64)", ours / als, 0.97, detail=figures),
    ]


def one_item(compared: Comparison) -> Bar:
    """Compare SIMS with implicit's cosine: the newest known item asks for the held-out ones."""
    past = compared.held_out.past
    last = past.items[past.offsets[1:] - 1]
    ours = compared.score(compared.lists(compared.learned("aws-sims"), one_item_each(last)))
    peer = CosineRecommender(K=100)
    peer.fit(csr_matrix(compared.fitted_to.unique(compared.n_items)), show_progress=False)
    near, _ = peer.similar_items(last, N=100)
    theirs = compared.score(_without_owned(near, past))
    return Bar("SIMS by one item, of implicit cosine", ours / theirs, 0.97, detail=f"NDCG@10 {ours:.4f}, {theirs:.4f}")


def _without_owned(lists: npt.NDArray[np.integer], past: Histories) -> npt.NDArray[np.int32]:
    answer = np.full((len(lists), 10), -1, dtype=np.int32)
    for row, items in enumerate(lists):
        kept = items[~np.isin(items, past.items[past.offsets[row] : past.offsets[row + 1]])][:10]
        answer[row, : len(kept)] = kept
    return answer


def ranking(compared: Comparison) -> Bar:
    """Rank one held-out item among 24 random ones."""
    generator = np.random.default_rng(0)
    scorer = compared.learned("aws-personalized-ranking")
    past, truth = compared.held_out.past, compared.held_out.truth
    areas, block = [], np.empty((1, compared.n_items), dtype=np.float32)
    for user in generator.permutation(len(past))[:2000]:
        scorer.score(past, int(user), int(user) + 1, block)
        owned = past.items[past.offsets[user] : past.offsets[user + 1]]
        others = np.setdiff1d(generator.integers(0, compared.n_items, 24), owned)
        positive = block[0, truth.items[truth.offsets[user]]]
        areas.append(float(((block[0, others] < positive) + 0.5 * (block[0, others] == positive)).mean()))
    return Bar("Personalized-Ranking, AUC", float(np.mean(areas)), _LEAST_AUC, detail="1 taken among 24 random items")


def segments(compared: Comparison) -> Bar:
    """Compare Item-Affinity with listing the most active users."""
    options = read_options(spec("aws-item-affinity"))
    held_out = segments_held_out(compared.data.histories)
    questions = one_per_item(np.random.default_rng(0).permutation(compared.n_items)[:200], compared.n_items)
    actual = (held_out.truth.unique(compared.n_items) @ questions).toarray() > 0
    model = fit_affinity(compared.data, options, held_out.past)
    ours = segment_metrics(model.users_by_question(held_out.past, questions), actual)["hits_at_1_percent"]
    active = np.repeat(held_out.past.lengths.astype(np.float32)[:, None], questions.shape[1], axis=1)
    theirs = segment_metrics(active, actual)["hits_at_1_percent"]
    return Bar("Item-Affinity hits at 1 %, times most active", ours / theirs, 5.0, detail=f"{ours:.2f}, {theirs:.2f}")


def trends(events: int = 2_000_000, items: int = 5_000, planted: int = 20) -> Bar:
    """Find 20 small planted spikes among 2 M events."""
    generator = np.random.default_rng(1)
    weights = (np.arange(items) + 20.0) ** -0.7
    day = 86_400
    what = generator.choice(items, size=events, p=weights / weights.sum())
    when = START + generator.integers(0, 10 * day, events)
    spiking = generator.choice(items, size=planted, replace=False)
    extra = np.repeat(spiking, 40)
    taken = np.concatenate([what, extra]).astype(np.int32)
    when = np.concatenate([when, START + 10 * day - generator.integers(1, 7200, len(extra))])
    users = generator.integers(0, 50_000, len(taken)).astype(np.int32)
    histories = arrange(users, taken, when, np.ones(len(taken), dtype=np.float32), 50_000)
    scores = fit_trending(histories, items, 7200).scores
    found = len(np.intersect1d(np.argsort(-scores)[:planted], spiking))
    return Bar("planted trends found in the first 20", found, 18, detail="popularity finds 0 or 1")


def order(compared: Comparison) -> Bar:
    """Compare the order-aware with the order-blind training where tastes drift."""
    past = compared.held_out.past
    aware = compared.score(compared.lists(compared.learned("aws-user-personalization"), past))
    blind = compared.score(compared.lists(compared.learned("aws-user-personalization", recency_mask="False"), past))
    return Bar("drifting tastes: order-aware, times blind", aware / blind, 1.0, detail=f"{aware:.4f}, {blind:.4f}")


if __name__ == "__main__":
    raise SystemExit(main())
