"""Small planted data for the recommenders' tests: users whose taste is known, as snapshots made in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personalize_local.engine.api import DatasetType, TrainingResult, TrainingSpec
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.training.training_run import train

GENRES = ("drama", "comedy", "horror", "western", "musical", "documentary")
NOW = 1_800_000_000.0
START = 1_700_000_000


@dataclass(frozen=True)
class FrameSnapshot(Snapshot):
    """A snapshot whose rows are frames in memory."""

    frames: Mapping[DatasetType, pl.DataFrame] = field(default_factory=dict)

    def rows(self, dataset_type: DatasetType) -> pl.LazyFrame | None:
        """Return the frame of the dataset."""
        return self.frames[dataset_type].lazy() if dataset_type in self.frames else None


def snapshot(interactions: pl.DataFrame, **others: pl.DataFrame) -> FrameSnapshot:
    """Return a snapshot of these datasets, named as dataset types in lower case."""
    frames: dict[Any, pl.DataFrame] = {"INTERACTIONS": interactions}
    frames |= {name.upper(): frame for name, frame in others.items()}
    return FrameSnapshot(schemas={}, frames=frames)


def genre(item_id: str) -> str:
    """Return the genre an item was planted in."""
    return GENRES[int(item_id[1:]) % len(GENRES)]


def taste(user_id: str) -> str:
    """Return the genre a user was planted with."""
    return GENRES[int(user_id[1:]) % len(GENRES)]


def interactions(n_users: int = 240, n_items: int = 120, per_user: int = 20, seed: int = 3) -> pl.DataFrame:
    """Return users who take 4 of 5 items from their own genre, in an order that says nothing."""
    generator = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        own = np.arange(user % len(GENRES), n_items, len(GENRES))
        liked = generator.choice(own, size=min(len(own) - 2, per_user * 4 // 5), replace=False)
        other = generator.choice(n_items, size=per_user - len(liked), replace=False)
        taken = dict.fromkeys(generator.permutation(np.concatenate([liked, other])).tolist())
        rows += [(f"u{user}", f"i{item}", START + int(generator.integers(0, 10_000_000))) for item in taken]
    return pl.DataFrame(rows, schema=["USER_ID", "ITEM_ID", "TIMESTAMP"], orient="row")


def items(n_items: int = 120, columns: Mapping[str, list[Any]] | None = None) -> pl.DataFrame:
    """Return an Items dataset with the planted genres."""
    ids = [f"i{item}" for item in range(n_items)]
    return pl.DataFrame({"ITEM_ID": ids, "GENRES": [genre(item) for item in ids], **(columns or {})})


def fit(
    directory: Path, recipe: str, data: Snapshot, solution: Mapping[str, Any] | None = None, version: str = "films/one"
) -> TrainingResult:
    """Train a recipe into a folder below `directory`."""
    spec = TrainingSpec(version, recipe, [], solution or {}, NOW)
    return train(spec, data, directory / version)
