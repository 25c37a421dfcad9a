"""Imports of interactions against polars.read_csv alone, in the same run: time, memory, and growth.

`python -m benchmarks.imports [--rows 10000000] [--repeats 3]`. Imports run as users have them: through a worker
process, with every check and the Parquet file; the peer only parses the same file, in this process.
"""

import argparse
import math
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.instruments.bars import Bar, report
from personalize_local.engine.api import DatasetRef, ImportMode
from personalize_local.engine.datasets.dataset_jobs import DatasetJobs
from personalize_local.engine.processes.worker_pool import ProcessPool

_SCHEMA: Final = """{"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema",
  "fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
             {"name": "EVENT_TYPE", "type": "string"}, {"name": "EVENT_VALUE", "type": ["float", "null"]},
             {"name": "TIMESTAMP", "type": "long"}], "version": "1.0"}"""
_COLUMNS: Final = {
    "USER_ID": pl.String,
    "ITEM_ID": pl.String,
    "EVENT_TYPE": pl.String,
    "EVENT_VALUE": pl.Float32,
    "TIMESTAMP": pl.Int64,
}
_REF: Final = DatasetRef("bench/INTERACTIONS", "INTERACTIONS", _SCHEMA)


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bars = measure(Path(folder), given.rows, given.repeats)
    return report(f"imports of {given.rows:,} interactions", bars)


def measure(folder: Path, rows: int, repeats: int) -> list[Bar]:
    """Return all bars; larger files are written once and read `repeats` times."""
    sizes = [rows // 10, rows * 3 // 10, rows]
    files = {size: _write(folder / f"{size}.csv", _interactions(size, seed=0)) for size in sizes}
    more = _write(folder / "more.csv", _increment(files[rows], rows // 10))
    peer, full, increment, growth = [], [], [], dict[int, float]()
    for _ in range(repeats):
        peer.append(_read(folder, files[rows]))
        full.append(_import(folder, [(files[rows], "FULL")]))
        increment.append(_import(folder, [(files[rows], "FULL"), (more, "INCREMENTAL")]))
    for size in sizes[:-1]:
        growth[size] = statistics.median(_import(folder, [(files[size], "FULL")]).seconds for _ in range(repeats))
    seconds, again = (statistics.median(run.seconds for run in runs) for runs in (full, increment))
    peak, peak_again = (max(run.peak_gigabytes for run in runs) for runs in (full, increment))
    growth[rows] = seconds
    return [
        Bar("FULL: share of the speed of polars.read_csv", statistics.median(peer) / seconds, 0.30),
        Bar("FULL: peak memory of the worker, GB", peak, 0.8, at_most=True),
        Bar("INCREMENTAL of a tenth, in FULL imports", again / seconds, 1.0, at_most=True),
        Bar("INCREMENTAL: peak memory of the worker, GB", peak_again, 1.2, at_most=True),
        Bar("growth of the time: exponent", exponent(growth), 1.1, at_most=True),
    ]


@dataclass(frozen=True)
class TimedImport:
    """How long the last import of a fresh worker took, and what the worker needed at most."""

    seconds: float
    peak_gigabytes: float


def read_alone(file: Path) -> int:
    """Parse the file into columns of the right types, and nothing else."""
    return pl.read_csv(file, schema_overrides=_COLUMNS).height


def exponent(seconds: dict[int, float]) -> float:
    """Return the slope of time over size, both as logarithms, by least squares."""
    sizes, times = [math.log(size) for size in seconds], [math.log(time) for time in seconds.values()]
    return statistics.linear_regression(sizes, times).slope


def _read(folder: Path, file: Path) -> float:
    workers = ProcessPool(1, folder / uuid.uuid4().hex / "logs")
    try:
        workers.run("warm", "polars:thread_pool_size")
        return _seconds(partial(workers.run, "read", "benchmarks.imports:read_alone", file))
    finally:
        workers.close()


def _import(folder: Path, steps: Sequence[tuple[Path, ImportMode]]) -> TimedImport:
    """Import the files one after another into an empty dataset; the last one is timed, with its worker warm."""
    directory = folder / uuid.uuid4().hex
    workers = ProcessPool(1, directory / "logs")
    datasets = DatasetJobs(directory, workers)
    workers.run("warm", "polars:thread_pool_size")
    try:
        taken = [_seconds(partial(datasets.import_files, _REF, [file], mode)) for file, mode in steps]
        return TimedImport(taken[-1], _peak_bytes(workers.processes[0]) / 1e9)
    finally:
        workers.close()
        datasets.drop(_REF)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _interactions(rows: int, seed: int) -> pl.DataFrame:
    """Return interactions of rows/10 users with 5,000 items of uneven popularity, in no order."""
    generator = np.random.default_rng(seed)
    items = (generator.pareto(1.2, rows) * 50).astype(np.int64) % 5_000
    return pl.DataFrame(
        {
            "USER_ID": generator.integers(0, max(rows // 10, 1), rows),
            "ITEM_ID": items,
            "EVENT_TYPE": np.array(["watch", "click", "buy"])[generator.integers(0, 3, rows)],
            "EVENT_VALUE": generator.integers(1, 11, rows) / 2,
            "TIMESTAMP": generator.integers(1_600_000_000, 1_700_000_000, rows),
        }
    ).with_columns(pl.format("u{}", "USER_ID").alias("USER_ID"), pl.format("item{}", "ITEM_ID").alias("ITEM_ID"))


def _increment(file: Path, rows: int) -> pl.DataFrame:
    """Return rows of which half are in the file already, over the same time: the worst case for finding them."""
    known = pl.read_csv(file, n_rows=rows // 2)
    return pl.concat([known, _interactions(rows - rows // 2, seed=1)])


def _write(file: Path, rows: pl.DataFrame) -> Path:
    rows.write_csv(file)
    return file


if __name__ == "__main__":
    sys.exit(main())
