"""How training and batch inference grow with the data: time at 1 M, 3 M and 10 M interactions, and the exponent.

`python -m benchmarks.growth [--sizes 1000000 3000000 10000000] [--repeats 3]`. Ten interactions per user over 5,000
items; an exponent of 1 is linear growth. (Imports are measured in benchmarks/imports.py, growing items in
benchmarks/speed/large_training.py.)
"""

import argparse
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.instruments.bars import NOW, Bar, FileSnapshot, growth, report, seconds, snapshot_of, spec
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.api import BatchSpec
from personalize_local.engine.training.training_run import train
from personalize_local.engine.worker_jobs import run_batch_of

_ITEMS = 5_000
_EVENTS_PER_USER = 10
_RECIPES = ("aws-popularity-count", "aws-sims", "aws-user-personalization")


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    times: dict[str, dict[int, list[float]]] = {}
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            for step, taken in measure(Path(folder), size, given.repeats).items():
                times.setdefault(step, {})[size] = taken
    return report("growth: exponent of time over interactions", [_bar(step, taken) for step, taken in times.items()])


def measure(folder: Path, size: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each step at one size."""
    users = size // _EVENTS_PER_USER
    live = snapshot_of(tastes(users, _ITEMS, size).frame(), folder)
    (folder / "users.json").write_text("".join(f'{{"userId":"u{user}"}}\n' for user in range(users)))
    steps = {f"training {recipe}": partial(train, spec(recipe), live, folder / recipe) for recipe in _RECIPES}
    times = {step: [seconds(work) for _ in range(repeats)] for step, work in steps.items()}
    batch = partial(_batch, folder, live)
    return {**times, "batch inference": [seconds(batch) for _ in range(repeats)]}


def _batch(folder: Path, live: FileSnapshot) -> None:
    model = folder / "aws-user-personalization"
    run_batch_of(BatchSpec("bench/model", [folder / "users.json"], folder / "out", NOW), model, live)


def _bar(step: str, times: Mapping[int, Sequence[float]]) -> Bar:
    slope, error = growth(times)
    medians = ", ".join(f"{size / 1e6:g} M: {statistics.median(taken):.1f} s" for size, taken in times.items())
    return Bar(step, slope, 1.1, at_most=True, detail=f"standard error {error:.2f}; {medians}")


if __name__ == "__main__":
    raise SystemExit(main())
