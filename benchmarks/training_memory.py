"""Measure the peak memory of a training beside that of the worker before it: 100,000 interactions, 10,000 items."""

import argparse
import multiprocessing
import tempfile
from pathlib import Path

from benchmarks.instruments.bars import Bar, report, snapshot_of, spec
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.training.training_run import train

_EVENTS = 100_000
_USERS = 5_000
_ITEMS = 10_000
_MOST_GIGABYTES = {"aws-user-personalization": 0.9, "aws-sims": 0.3, "aws-similar-items": 0.3}


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=_ITEMS)
    items = arguments.parse_args().items
    context = multiprocessing.get_context("spawn")
    bars = []
    for recipe, limit in _MOST_GIGABYTES.items():
        with tempfile.TemporaryDirectory() as name, context.Pool(1) as pool:
            added = pool.apply(training, (Path(name), recipe, items))
        bars.append(Bar(f"{recipe}, GB added by a training", added, limit, at_most=True))
    return report(f"{_EVENTS:,} interactions, {items:,} items", bars)


def training(folder: Path, recipe: str, items: int) -> float:
    """Train in this process and return by how many GB its peak grew."""
    snapshot = snapshot_of(tastes(_USERS, items, _EVENTS).frame(), folder)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak that making the data had
    before = _peak()
    train(spec(recipe), snapshot, folder / "model")
    return _peak() - before


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1e6


if __name__ == "__main__":
    raise SystemExit(main())
