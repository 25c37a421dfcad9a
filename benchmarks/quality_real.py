"""Quality on real interactions against tuned peers: NDCG@10 of lists, of one item's neighbours, and AUC of rankings.

`python -m benchmarks.quality_real [--sets NAME ...] [--users 2000] [--draws 8]`: `benchmarks.instruments.real_sets` has
the sets and how to fetch them. Two protocols: the newest tenth of every user's history is the truth, or the
last event alone. The engine chooses on what it is trained with; of the peers each set's best setting *on the test
itself* counts, so they are flattered. Differences have the standard error over the same users. With `--draws`, models
are chosen that many times with 80 % of the users instead, and the worst choice is compared with the best candidate on
the test.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.instruments.choice_trials import WorstChoice, worst_choice
from benchmarks.instruments.peers import tuned_peers
from benchmarks.instruments.real_sets import FOLDER, RealSet, real_sets
from benchmarks.instruments.real_trials import Compared, RealTest

_LEAST_CHOICE: Final = 0.97
_PROTOCOLS: Final = {"newest tenth": 0.1, "last one": 0.0}


def main() -> int:
    """Measure, print the table, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sets", nargs="*", help="names of sets (default: all that are there)")
    arguments.add_argument("--users", type=int, default=2000, help="most users to measure with")
    arguments.add_argument("--draws", type=int, default=0, help="how often to choose, instead of comparing with peers")
    given = arguments.parse_args()
    found = [each for each in real_sets() if given.sets is None or each.name in given.sets]
    if not found:
        print(f"no real sets in {FOLDER}: fetch them with `make real_sets`")
        return 0
    if given.draws:
        return show_choices([worst_choice(test, given.draws) for real in found for test in tests(real, given.users)])
    rows = [row for real in found for row in compared(real, given.users)]
    return show(rows)


def show(rows: list[Compared]) -> int:
    """Print the comparisons and return how many bars were missed."""
    table = Table(
        "set", "truth", "recipe", "metric", "engine", "best peer", "ratio ± s.e.", "bar", "", title="real sets"
    )
    for row in rows:
        table.add_row(
            row.real_set, row.protocol, row.recipe, row.metric, f"{row.ours.mean():.4f} {row.detail}",
            f"{row.theirs.mean():.4f} {row.peer}", f"{row.ratio:.2f} ± {row.error:.2f}", f"≥ {row.bar:g}",
            "kept" if row.ratio >= row.bar else "MISSED",
        )  # fmt: skip
    Console(width=190).print(table)
    lists = [row for row in rows if row.recipe == "user-personalization"]
    _say_median("all sets", [row.ratio for row in lists])
    _say_median("sets that have times", [row.ratio for row in lists if row.has_times])
    return sum(row.ratio < row.bar for row in rows)


def _say_median(name: str, ratios: list[float]) -> None:
    if ratios:
        told = f"median {np.median(ratios):.2f} x the best tuned peer, least {min(ratios):.3f}"
        print(f"User-Personalization, {name}: {told}")


def show_choices(rows: list[WorstChoice]) -> int:
    """Print what choices are worth and return how many are too far behind."""
    table = Table("set", "truth", "worst choice", "best candidate", "ratio ± s.e.", "mean", "bar", "", title="choices")
    for row in rows:
        table.add_row(
            row.real_set, row.protocol, row.chosen, row.best, f"{row.ratio:.3f} ± {row.error:.3f}", f"{row.mean:.3f}",
            f"≥ {_LEAST_CHOICE:g}", "kept" if row.ratio >= _LEAST_CHOICE else "MISSED",
        )  # fmt: skip
    Console(width=190).print(table)
    return sum(row.ratio < _LEAST_CHOICE for row in rows)


def tests(real: RealSet, most_users: int) -> Iterator[RealTest]:
    """Yield the set cut in two, under both protocols."""
    for protocol, share in _PROTOCOLS.items():
        print(f"{real.name}, {protocol} ...", file=sys.stderr)  # all sets take half an hour
        yield RealTest.of(real, protocol, share, most_users)


def compared(real: RealSet, most_users: int) -> Iterator[Compared]:
    """Yield the comparisons on one set, under both protocols."""
    for test in tests(real, most_users):
        peers = list(tuned_peers(test.taken))
        yield test.lists(peers)
        yield test.ranking(peers)
        yield from test.related([peer for peer in peers if peer.for_items])


if __name__ == "__main__":
    raise SystemExit(main())
