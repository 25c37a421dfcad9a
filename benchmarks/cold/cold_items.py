"""How items without a history rank and are explored, on MovieLens 100k (if fetched) and on planted tastes.

`python -m benchmarks.cold.cold_items [--seeds 5]`. A tenth of the items is new: nothing that anybody did with them is
trained on, only what describes them. Users who took some of them later are asked. Errors are
standard errors: over the draws of new items for the shares, over users, paired, for what exploration costs.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.cold.described_sets import DescribedSet, SetAside, described_sets, new_items
from benchmarks.instruments.bars import NOW, Bar, report, spec
from personalize_local.engine.api import Query
from personalize_local.engine.interactions.histories import find
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.training.training_run import train

_WEIGHTS = (0.0, 0.1, 0.3, 0.5, 1.0)
_LENGTH = 10
_MOST_USERS = 500
_LEAST_SHARE = 0.55  # of pairs that a new item of a user's kind wins; chance wins half

Doubles = npt.NDArray[np.float64]


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    seeds = arguments.parse_args().seeds
    bars: list[Bar] = []
    for described in described_sets():
        trials = [Trial.of(described, seed) for seed in range(seeds)]
        bars += ranking_bars(described.name, trials)
        explore(described.name, trials[0])
    return report("items without a history", bars)


@dataclass(frozen=True)
class Trial:
    """A model that has never seen the new items, and what users did with them and with the others afterwards."""

    model: Any
    aside: SetAside
    users: pl.Series  # who took some new item, and have a history

    @staticmethod
    def of(described: DescribedSet, seed: int) -> "Trial":
        """Train User-Personalization without the new items' interactions."""
        aside = new_items(described, seed)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            train(spec("aws-user-personalization"), described.snapshot(aside.past, folder), folder / "model")
            model = load_model(folder / "model")
        able = aside.cold["USER_ID"].unique().sort().to_frame().join(aside.past, on="USER_ID", how="semi")["USER_ID"]
        return Trial(model, aside, able.sample(min(_MOST_USERS, len(able)), seed=seed).sort())

    def taken(self, events: pl.DataFrame) -> list[npt.NDArray[np.int32]]:
        """Return for each user the positions of the items in some events."""
        catalogue = self.model.model.data.catalogue
        lists = dict(events.group_by("USER_ID").agg("ITEM_ID").iter_rows())
        return [np.unique(catalogue.find(pl.Series(lists.get(user, []), dtype=pl.String))) for user in self.users]

    def wins(self, *, among_new: bool) -> float:
        """Return the mean over users of how often a new item that the user took scores above one not taken.

        The other is any item, or any of the new ones.
        """
        data = self.model.model.data
        first = data.catalogue.warm if among_new else 0
        histories = data.histories.of(find(data.user_ids, self.users))
        taken, later = self.taken(self.aside.cold), self.taken(self.aside.newest)
        scores = np.empty((1, len(data.catalogue)), dtype=np.float32)
        shares = []
        for user, (mine, next_ones) in enumerate(zip(taken, later, strict=True)):
            self.model.model.scorer.score(histories, user, user + 1, scores)
            past = histories.items[histories.offsets[user] : histories.offsets[user + 1]]
            others = np.setdiff1d(np.arange(first, len(data.catalogue)), np.concatenate([mine, past, next_ones]))
            won = scores[0, mine][:, None] - scores[0, others]
            shares.append(float(((won > 0) + 0.5 * (won == 0)).mean()))
        return float(np.mean(shares))

    def lists(self, weight: float) -> list[npt.NDArray[np.int32]]:
        """Return each user's list under an exploration weight."""
        config = {"itemExplorationConfig": {"explorationWeight": str(weight), "explorationItemAgeCutOff": "30"}}
        queries = [Query(NOW, user_id=user, num_results=_LENGTH, campaign_config=config) for user in self.users]
        answers = [[line.item_id for line in self.model.recommend(query)] for query in queries]
        return [self.model.model.data.catalogue.find(answer) for answer in answers]


def ranking_bars(name: str, trials: list[Trial]) -> list[Bar]:
    """Compare a new item that a user took with items that the user did not take."""
    bars = []
    for among_new, others in ((True, "other new items"), (False, "random items")):
        shares = np.array([trial.wins(among_new=among_new) for trial in trials])
        error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else float("nan")
        promise = f"{name}: a new item taken, above {others}"
        bars.append(Bar(promise, float(shares.mean()), _LEAST_SHARE, detail=f"standard error {error:.3f}"))
    return bars


def explore(name: str, trial: Trial) -> None:
    """Print what each exploration weight gives to new items, and what that costs."""
    warm = trial.model.model.data.catalogue.warm
    newest, cold = trial.taken(trial.aside.newest), trial.taken(trial.aside.cold)
    table = Table("weight", "cold items", "of them taken", "NDCG@10", "lost", "standard error", title=name)
    base = gains(trial.lists(0.0), newest)
    for weight in _WEIGHTS:
        lists = trial.lists(weight)
        found = gains(lists, newest)
        lost = base - found
        listed = np.concatenate(lists) >= warm
        hits = np.concatenate([np.isin(each, mine) for each, mine in zip(lists, cold, strict=True)])[listed]
        precision = f"{hits.mean():.3f}" if len(hits) else "-"
        error = lost.std(ddof=1) / np.sqrt(len(lost))
        table.add_row(
            f"{weight:g}",
            f"{listed.mean():.3f}",
            precision,
            f"{found.mean():.4f}",
            f"{lost.mean():.4f}",
            f"{error:.4f}",
        )
    chance = np.mean([len(mine) for mine in cold]) / (len(trial.model.model.data.catalogue) - warm)
    Console(width=150).print(table, f"of new items drawn by chance {chance:.3f} would be taken")


def gains(lists: list[npt.NDArray[Any]], truth: list[npt.NDArray[Any]]) -> Doubles:
    """Return NDCG@10 of each user that has some truth."""
    discounts = 1 / np.log2(np.arange(2, _LENGTH + 2))
    pairs = [(listed, wanted) for listed, wanted in zip(lists, truth, strict=True) if len(wanted)]
    return np.array([
        np.isin(listed, wanted) @ discounts[: len(listed)] / discounts[: len(wanted)].sum() for listed, wanted in pairs
    ])  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
