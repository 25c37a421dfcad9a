"""Provide interactions whose items and users are described, and set some items or users aside as new ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.instruments.bars import FileSnapshot
from benchmarks.instruments.real_sets import FOLDER, movielens_details, real_sets
from benchmarks.instruments.synthetic import tastes

_LEAST_EVENTS = 10  # of an item that is set aside: there must be something to foretell
_SHARE = 0.1
_NEWEST = 0.1


@dataclass(frozen=True)
class DescribedSet:
    """Interactions (USER_ID, ITEM_ID, TIMESTAMP) with an Items dataset, and a Users dataset where there is one."""

    name: str
    interactions: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame | None = None

    def snapshot(self, interactions: pl.DataFrame, folder: Path) -> FileSnapshot:
        """Write some of the interactions beside what describes items and users."""
        folder.mkdir(parents=True, exist_ok=True)
        files: dict[Any, Path] = {}
        for name, frame in (("INTERACTIONS", interactions), ("ITEMS", self.items), ("USERS", self.users)):
            if frame is not None:
                files[name] = folder / f"{name}.parquet"
                frame.write_parquet(files[name])
        return FileSnapshot({}, files=files)


@dataclass(frozen=True)
class SetAside:
    """Interactions cut in three: what is trained on, the newest of each user, and all about what is new."""

    past: pl.DataFrame
    newest: pl.DataFrame
    cold: pl.DataFrame


def described_sets(folder: Path = FOLDER) -> Iterator[DescribedSet]:
    """Yield MovieLens 100k with genres, years, ages and occupations if it was fetched, and a planted set."""
    details = movielens_details(folder)
    for real in real_sets(folder):
        if real.name == "ml-100k" and details is not None:
            yield DescribedSet(real.name, real.interactions, *details)
    planted = tastes(3_000, 1_000, 150_000)
    items = pl.DataFrame({
        "ITEM_ID": [f"i{number}" for number in range(len(planted.clusters))],
        "GENRES": [f"kind{cluster}" for cluster in planted.clusters.tolist()],
        "COLOUR": [f"colour{number % 7}" for number in range(len(planted.clusters))],  # says nothing
    })  # fmt: skip
    yield DescribedSet("planted tastes", planted.frame(), items)


def new_items(described: DescribedSet, seed: int) -> SetAside:
    """Set aside a tenth of the items, with all that anybody did with them, and the newest events of the rest."""
    counts = described.interactions.group_by("ITEM_ID").len().filter(pl.col("len") >= _LEAST_EVENTS).sort("ITEM_ID")
    return _aside(described.interactions, "ITEM_ID", counts["ITEM_ID"], seed)


def new_users(described: DescribedSet, seed: int) -> SetAside:
    """Set a tenth of the users aside, with all that they did."""
    return _aside(described.interactions, "USER_ID", described.interactions["USER_ID"].unique().sort(), seed)


def _aside(events: pl.DataFrame, column: str, ids: pl.Series, seed: int) -> SetAside:
    chosen = np.random.default_rng(seed).permutation(len(ids))[: int(_SHARE * len(ids))]
    is_cold = pl.col(column).is_in(ids.gather(np.sort(chosen)).implode())
    rest = events.filter(~is_cold).sort("USER_ID", "TIMESTAMP", maintain_order=True)
    place = pl.int_range(pl.len()).over("USER_ID")
    length = pl.len().over("USER_ID")
    is_newest = (place >= (length * (1 - _NEWEST)).floor()) & (place > 0)
    return SetAside(rest.filter(~is_newest), rest.filter(is_newest), events.filter(is_cold))
