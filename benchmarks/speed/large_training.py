"""Time and memory of trainings on up to 10 M interactions, 1 M users and 100,000 items, their growth, and serving.

`python -m benchmarks.speed.large_training [--sizes 1000000 3000000 10000000] [--repeats 3] [--recipes aws-sims ...]`.
Users and items grow with the interactions: ten events a user, and a hundred events an item. Every training runs in a
process of its own, whose peak is what it took; rows come from a Parquet file, the form in which an import leaves them
(imports are measured in benchmarks/imports.py). Then each recipe's model of the largest size answers single questions.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.instruments.bars import NOW, Bar, FileSnapshot, growth, report, seconds, snapshot_of, spec
from benchmarks.instruments.process_memory import peak_mb
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.api import Query
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.training.training_run import train

Answer = TypeVar("Answer")

_EVENTS_PER_USER, _EVENTS_PER_ITEM = 10, 100
_RECIPES = ("aws-popularity-count", "aws-sims", "aws-personalized-ranking", "aws-user-personalization")
_MOST_SECONDS = 900.0  # of the largest training
_ENOUGH_SECONDS = 120.0  # of one recipe at one size
_MOST_GIGABYTES = 8.0  # of any process; a laptop has 16
_MOST_EXPONENT = 1.2  # of processor time: linear growth, and what caches lose
_MOST_MILLISECONDS = 50.0
_QUESTIONS = 200


@dataclass(frozen=True)
class TimeAndMemory:
    """What one training or serving took."""

    seconds: float
    processor_seconds: float  # of all cores: what a busy neighbour changes least
    peak_gb: float


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--recipes", nargs="+", default=_RECIPES)
    given = arguments.parse_args()
    trained: dict[str, dict[int, list[TimeAndMemory]]] = {recipe: {} for recipe in given.recipes}
    served: dict[str, TimeAndMemory] = {}
    with tempfile.TemporaryDirectory() as name:
        for size in given.sizes:
            folder = Path(name) / str(size)
            _apart(write, folder, size)
            for recipe in given.recipes:
                trained[recipe][size] = list(_repeated(folder, recipe, given.repeats))
                print(recipe, f"{size:,}:", _words(trained[recipe][size]), flush=True)
                served[recipe] = _apart(serving, folder, recipe)
    bars = [bar for recipe in given.recipes for bar in _bars(recipe, trained[recipe], served[recipe])]
    return report(f"training and serving of up to {max(given.sizes):,} interactions", bars)


def _repeated(folder: Path, recipe: str, repeats: int) -> Iterator[TimeAndMemory]:
    """Train again and again, once only where a single training takes minutes."""
    spent = 0.0
    for _ in range(repeats):
        run = _apart(training, folder, recipe)
        yield run
        spent += run.seconds
        if spent > _ENOUGH_SECONDS:
            return


def _apart(work: Callable[..., Answer], *arguments: object) -> Answer:
    """Return what the work answers in a new process: its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def write(folder: Path, size: int) -> None:
    """Write the planted interactions."""
    snapshot_of(tastes(size // _EVENTS_PER_USER, size // _EVENTS_PER_ITEM, size).frame(), folder)


def training(folder: Path, recipe: str) -> TimeAndMemory:
    """Train in this process."""
    snapshot = FileSnapshot({}, files={"INTERACTIONS": folder / "interactions.parquet"})
    before = time.process_time()
    taken = seconds(lambda: train(spec(recipe), snapshot, folder / recipe))
    return TimeAndMemory(taken, time.process_time() - before, peak_mb() / 1000)


def serving(folder: Path, recipe: str) -> TimeAndMemory:
    """Ask for one user or item after another; the seconds are a question's median, the memory that of the process."""
    model: Any = load_model(folder / recipe)
    known = model.model.data
    numbers = np.random.default_rng(0).integers(0, len(known.catalogue), _QUESTIONS)
    times = []
    for number in numbers:
        item = known.catalogue.ids[int(number)]
        query = Query(NOW, user_id=known.user_ids[int(number)], item_id=item, item_list=[item])
        times.append(seconds(partial(model.recommend, query)))
    return TimeAndMemory(statistics.median(times), time.process_time(), peak_mb() / 1000)


def _bars(recipe: str, trained: dict[int, list[TimeAndMemory]], served: TimeAndMemory) -> Iterator[Bar]:
    largest = trained[max(trained)]
    words = ", ".join(f"{size / 1e6:g} M: {_words(runs)}" for size, runs in trained.items())
    yield Bar(
        f"{recipe}, s", statistics.median(run.seconds for run in largest), _MOST_SECONDS, at_most=True, detail=words
    )
    yield Bar(f"{recipe}, peak GB", max(run.peak_gb for run in largest), _MOST_GIGABYTES, at_most=True)
    if len(trained) > 1:
        slope, error = growth({size: [run.processor_seconds for run in runs] for size, runs in trained.items()})
        yield Bar(
            f"{recipe}, exponent of processor time",
            slope,
            _MOST_EXPONENT,
            at_most=True,
            detail=f"standard error {error:.2f}",
        )
    yield Bar(
        f"{recipe}, ms a question",
        1000 * served.seconds,
        _MOST_MILLISECONDS,
        at_most=True,
        detail=f"{served.peak_gb:.1f} GB",
    )


def _words(runs: list[TimeAndMemory]) -> str:
    return " ".join(f"{run.seconds:.1f} s" for run in runs) + f" ({max(run.peak_gb for run in runs):.1f} GB)"


if __name__ == "__main__":
    raise SystemExit(main())
