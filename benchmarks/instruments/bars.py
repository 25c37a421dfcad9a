"""What the benchmarks of the recommenders have in common: bars, their table, and snapshots of planted data."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from personalize_local.engine.api import DatasetType, TrainingSpec
from personalize_local.engine.datasets.snapshot import Snapshot

NOW = 1_750_000_000.0


@dataclass(frozen=True)
class Bar:
    """A promise, what was measured, and how they compare."""

    promise: str
    measured: float
    limit: float
    at_most: bool = False
    detail: str = ""

    @property
    def kept(self) -> bool:
        """Whether the measurement is on the right side of the limit."""
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit


def report(title: str, bars: Sequence[Bar]) -> int:
    """Print the bars and return how many were missed."""
    table = Table("promise", "measured", "bar", "", "detail", title=title)
    for bar in bars:
        sign = "≤" if bar.at_most else "≥"
        verdict = "kept" if bar.kept else "MISSED"
        table.add_row(bar.promise, f"{bar.measured:.2f}", f"{sign} {bar.limit:g}", verdict, bar.detail)
    Console(width=150).print(table)
    return sum(not bar.kept for bar in bars)


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def paired(ours: Callable[[], object], peer: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
    """Return the median times of two calls made in turns, so that a noisy neighbour meets both."""
    times = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
    return statistics.median(mine for mine, _ in times), statistics.median(theirs for _, theirs in times)


def growth(times: Mapping[int, Sequence[float]]) -> tuple[float, float]:
    """Return the slope of log time over log size by least squares, and its standard error.

    `times` are the repeated measurements at each size; there are two sizes at least.
    """
    pairs = [(np.log(size), np.log(taken)) for size, repeats in times.items() for taken in repeats]
    sizes, logs = np.array(pairs).T
    fitted, residual, *_ = np.polyfit(sizes, logs, 1, full=True)
    freedom = max(1, len(pairs) - 2)
    spread = float(((sizes - sizes.mean()) ** 2).sum())
    return float(fitted[0]), float(np.sqrt(residual.sum() / freedom / spread))


@dataclass(frozen=True)
class FileSnapshot(Snapshot):
    """A snapshot over Parquet files that are there already."""

    files: Mapping[DatasetType, Path] = field(default_factory=dict)

    def rows(self, dataset_type: DatasetType) -> pl.LazyFrame | None:
        """Return the file's rows."""
        return pl.scan_parquet(self.files[dataset_type]) if dataset_type in self.files else None


def snapshot_of(interactions: pl.DataFrame, folder: Path) -> FileSnapshot:
    """Write the interactions and return a snapshot of them."""
    folder.mkdir(parents=True, exist_ok=True)
    interactions.write_parquet(folder / "interactions.parquet", compression="zstd", compression_level=1)
    return FileSnapshot({}, files={"INTERACTIONS": folder / "interactions.parquet"})


def spec(recipe: str, **solution: Any) -> TrainingSpec:
    """Return a training of the recipe."""
    return TrainingSpec("bench/model", recipe, [], solution, NOW)
