"""Seconds of a whole training per recipe, beside implicit's ALS (64 factors, 15 iterations) and one plain EASE.

`python -m benchmarks.speed.training_speed [--interactions 1000000]`. A training of ours chooses, fits twice, measures,
draws and writes; ALS and EASE only fit, to the same pairs in memory, on the same threads.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from benchmarks.instruments.bars import Bar, report, seconds, snapshot_of, spec
from benchmarks.instruments.peers import ease_weights
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.interactions.training_data import load_training_data
from personalize_local.engine.training.solution_options import read_options
from personalize_local.engine.training.training_run import train

_RECIPES = (
    "aws-user-personalization",
    "aws-personalized-ranking",
    "aws-sims",
    "aws-similar-items",
    "aws-item-affinity",
)
_TIMES_ALS = 2.0


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=20_000)
    arguments.add_argument("--items", type=int, default=3_000)
    arguments.add_argument("--interactions", type=int, default=1_000_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        snapshot = snapshot_of(tastes(given.users, given.items, given.interactions).frame(), folder)
        data = load_training_data(snapshot, read_options(spec(_RECIPES[0])))
        taken = csr_matrix(data.histories.unique(len(data.catalogue)))
        peer = AlternatingLeastSquares(factors=64, iterations=15, random_state=0)
        als = min(seconds(lambda: peer.fit(taken, show_progress=False)) for _ in range(2))
        plain = seconds(lambda: ease_weights(taken, 200.0))
        bars = []
        for recipe in _RECIPES:
            # The better of two, as of the peer: the first one imports what draws the report.
            ours = min(seconds(partial(train, spec(recipe), snapshot, folder / recipe / f"model{n}")) for n in range(2))
            detail = f"{ours:.1f} s, ALS {als:.1f} s, plain EASE {plain:.1f} s"
            bars.append(Bar(f"{recipe}, times ALS", ours / als, _TIMES_ALS, at_most=True, detail=detail))
    return report(
        f"training on {given.interactions:,} interactions, {given.users:,} users x {given.items:,} items", bars
    )


if __name__ == "__main__":
    raise SystemExit(main())
