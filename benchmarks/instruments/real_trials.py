"""Cut a real set in two, fit the recipes to the older part, and measure engine and peers on the newer one."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from benchmarks.instruments.bars import FileSnapshot, spec
from benchmarks.instruments.peers import Peer
from benchmarks.instruments.real_sets import RealSet
from personalize_local.engine.evaluation.ranked_lists import Scorer
from personalize_local.engine.interactions.held_out import HeldOut, newest_held_out, split_users
from personalize_local.engine.interactions.histories import Histories, one_item_each
from personalize_local.engine.interactions.training_data import TrainingData, load_training_data
from personalize_local.engine.training.solution_options import read_options, recipe_named

Scores = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_LENGTH: Final = 10
_BLOCK: Final = 256
_OTHERS: Final = 24


@dataclass(frozen=True)
class Compared:
    """One comparison: the engine and the best peer on the same users."""

    real_set: str
    protocol: str
    recipe: str
    metric: str
    ours: Doubles  # one value per user
    theirs: Doubles
    peer: str
    bar: float
    detail: str = ""
    has_times: bool = True  # whether the set does

    @property
    def ratio(self) -> float:
        """The engine's mean over the peer's."""
        return float(self.ours.mean() / max(self.theirs.mean(), 1e-12))

    @property
    def error(self) -> float:
        """The standard error of the ratio, from the paired differences."""
        differences = self.ours - self.ratio * self.theirs
        return float(differences.std(ddof=1) / np.sqrt(len(differences)) / max(self.theirs.mean(), 1e-12))


@dataclass(frozen=True)
class RealTest:
    """A set cut in two: what everybody is fitted to, and what the measured users did afterwards."""

    real: RealSet
    protocol: str
    data: TrainingData  # of the older part
    held_out: HeldOut  # of the measured users
    users: npt.NDArray[np.int64]  # where they are in `data`
    genres: Scores | None = field(default=None)  # items x genres

    @staticmethod
    def of(real: RealSet, protocol: str, share: float, most_users: int) -> "RealTest":
        """Cut the set."""
        with tempfile.TemporaryDirectory() as folder:
            data = load_training_data(_snapshot(real, Path(folder)), read_options(spec("aws-user-personalization")))
        able = np.flatnonzero(data.histories.lengths > 1)
        cut = newest_held_out(data.histories.of(able), share or 1e-9)
        past = TrainingData(cut.past, data.user_ids.gather(able), data.catalogue)
        users = np.sort(np.random.default_rng(0).permutation(len(able))[:most_users])
        return RealTest(
            real, protocol, past, HeldOut(cut.past.of(users), cut.truth.of(users)), users, _genres(real, data)
        )

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.data.catalogue)

    @cached_property
    def taken(self) -> csr_matrix:
        """Users x items of what is fitted to."""
        pairs = self.data.histories.unique(self.n_items)
        return csr_matrix(pairs)

    def learned(self, recipe: str) -> Any:
        """Return the recipe's model as a training leaves it, at its documented defaults."""
        split = split_users(self.data.histories.lengths, seed=0)
        estimator = recipe_named(recipe).estimator(read_options(spec(recipe)))
        return estimator.fit(self.data, split).refit(self.data, split)

    def lists(self, peers: list[Peer]) -> Compared:
        """Compare the lists of User-Personalization."""
        model = self.learned("aws-user-personalization")
        ours = self.gains(scores_of(model, self.held_out.past, self.n_items))
        theirs = {f"{peer.method} ({peer.setting})": self.gains(self._rows_of(peer)) for peer in peers}
        return self._row("user-personalization", "NDCG@10", ours, theirs, 1.0)

    def related(self, peers: list[Peer]) -> Iterator[Compared]:
        """Compare what is listed beside the newest known item with the neighbours of the peers."""
        last = self.held_out.past.items[self.held_out.past.offsets[1:] - 1].astype(np.int64)
        theirs = {f"{peer.method} ({peer.setting})": self.gains(_items_of(peer, last)) for peer in peers}
        for recipe in ("aws-sims", "aws-similar-items"):
            scores = scores_of(self.learned(recipe), one_item_each(last), self.n_items)
            yield self._row(recipe[4:], "one-item NDCG@10", self.gains(scores), theirs, 0.97, self.reach(scores, last))

    def ranking(self, peers: list[Peer]) -> Compared:
        """Compare the places of a held-out item among random others."""
        generator = np.random.default_rng(0)
        others = generator.integers(0, self.n_items, (len(self.users), _OTHERS))
        ours = self.areas(scores_of(self.learned("aws-personalized-ranking"), self.held_out.past, self.n_items), others)
        theirs = {f"{peer.method} ({peer.setting})": self.areas(self._rows_of(peer), others) for peer in peers}
        return self._row("personalized-ranking", "AUC", ours, theirs, 0.97)

    def gains(self, scores: Callable[[int, int], Scores]) -> Doubles:
        """Return each user's NDCG@10 (Järvelin and Kekäläinen 2002), what the user has left out."""
        discounts = 1 / np.log2(np.arange(2, _LENGTH + 2))
        found = np.zeros(len(self.users))
        for start, stop in self._blocks():
            block = self._without_past(scores(start, stop), start, stop)
            best = np.argpartition(-block, _LENGTH, axis=1)[:, :_LENGTH]
            best = np.take_along_axis(best, np.argsort(-np.take_along_axis(block, best, 1), axis=1, kind="stable"), 1)
            for row, listed in enumerate(best, start):
                truth = np.unique(self._of_user(self.held_out.truth, row))
                found[row] = np.isin(listed, truth) @ discounts / discounts[: len(truth)].sum()
        return found

    def areas(self, scores: Callable[[int, int], Scores], others: npt.NDArray[np.int64]) -> Doubles:
        """Return for each user the share of random items that the user does not have and that rank below the truth."""
        found = np.zeros(len(self.users))
        for start, stop in self._blocks():
            block = scores(start, stop)
            for row in range(start, stop):
                owned = np.concatenate([self._of_user(part, row) for part in (self.held_out.past, self.held_out.truth)])
                rivals = block[row - start, np.setdiff1d(others[row], owned)]
                mine = block[row - start, self._of_user(self.held_out.truth, row)[0]]
                found[row] = np.mean((rivals < mine) + 0.5 * (rivals == mine)) if len(rivals) else 1.0
        return found

    def reach(self, scores: Callable[[int, int], Scores], asked: npt.NDArray[np.int64]) -> str:
        """Return which share of all items is among the first 25 of some list, and how many genres agree there."""
        seen, agreeing = np.zeros(self.n_items, dtype=np.bool_), []
        for start, stop in self._blocks():
            best = np.argpartition(-scores(start, stop), 25, axis=1)[:, :25]
            seen[best.ravel()] = True
            if self.genres is not None:
                mine = self.genres[asked[start:stop]]
                shared = np.einsum("ug,ukg->uk", mine, self.genres[best])
                agreeing.append((shared / np.maximum(mine.sum(axis=1), 1)[:, None]).mean(axis=1))
        genres = f", genres {np.concatenate(agreeing).mean():.2f}" if agreeing else ""
        return f"(coverage {seen.mean():.2f}{genres})"

    def _row(
        self, recipe: str, metric: str, ours: Doubles, theirs: dict[str, Doubles], bar: float, detail: str = ""
    ) -> Compared:
        best = max(theirs, key=lambda name: float(theirs[name].mean()))
        names = (self.real.name, self.protocol, recipe, metric)
        return Compared(*names, ours, theirs[best], best, bar, detail, self.real.has_times)

    def _rows_of(self, peer: Peer) -> Callable[[int, int], Scores]:
        return lambda start, stop: peer.for_rows(self.users[start:stop])

    def _blocks(self) -> Iterator[tuple[int, int]]:
        for start in range(0, len(self.users), _BLOCK):
            yield start, min(start + _BLOCK, len(self.users))

    def _without_past(self, block: Scores, start: int, stop: int) -> Scores:
        part = self.held_out.past.slice(start, stop)
        block = np.array(block, dtype=np.float32)
        block[part.users(), part.items] = -np.inf
        return block

    def _of_user(self, histories: Histories, row: int) -> npt.NDArray[np.int32]:
        return histories.items[histories.offsets[row] : histories.offsets[row + 1]]


def _snapshot(real: RealSet, folder: Path) -> FileSnapshot:
    files: dict[Any, Path] = {"INTERACTIONS": folder / "interactions.parquet"}
    real.interactions.write_parquet(files["INTERACTIONS"])
    if real.items is not None:
        files["ITEMS"] = folder / "items.parquet"
        real.items.write_parquet(files["ITEMS"])
    return FileSnapshot({}, files=files)


def _genres(real: RealSet, data: TrainingData) -> Scores | None:
    if real.items is None or data.catalogue.metadata is None:
        return None
    listed = [set(str(text or "").split("|")) for text in data.catalogue.metadata["GENRES"]]
    names = sorted(set.union(*listed))
    return np.array([[name in genres for name in names] for genres in listed], dtype=np.float32)


def scores_of(model: Scorer, queries: Histories, n_items: int) -> Callable[[int, int], Scores]:
    """Return what scores all items for the users from a start to before a stop."""

    def scores(start: int, stop: int) -> Scores:
        block = np.empty((stop - start, n_items), dtype=np.float32)
        model.score(queries, start, stop, block)
        return block

    return scores


def _items_of(peer: Peer, last: npt.NDArray[np.int64]) -> Callable[[int, int], Scores]:
    for_items = peer.for_items
    if for_items is None:
        raise ValueError(f"{peer.method} says nothing about single items")
    return lambda start, stop: for_items(last[start:stop])
