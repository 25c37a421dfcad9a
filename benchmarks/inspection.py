"""How fast uploads are inspected, beside polars reading the same file: lines, cells and types against bytes per second.

Both run on one core and stream; the inspection is the Lambda function's own loop over 8 MiB chunks.

    python -m benchmarks.inspection [--mebibytes N]
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lambdas.file_checks.columns import columns_of
from lambdas.file_checks.csv_check import Inspector

MIB = 1 << 20
CHUNK_BYTES = 8 * MIB
BAR_MEBIBYTES_PER_SECOND = 50
BAR_PEAK_MEBIBYTES = 256
FIELDS = {
    "USER_ID": "string",
    "ITEM_ID": "string",
    "EVENT_TYPE": "string",
    "EVENT_VALUE": ["null", "float"],
    "TIMESTAMP": "long",
}
WORDS = (b"watch", b"click")
VALUES = (b"", b"4.5", b"12")
SCHEMA = json.dumps({"type": "record", "fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()]})


def main() -> None:
    """Write a file of interactions, read it both ways, and print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the file (default: 1024)")
    mebibytes = parser.parse_args().mebibytes
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "interactions.csv"
        write_interactions(path, mebibytes * MIB)
        ours, peak = measured(inspect, path)
        peer, _ = measured(scan_with_polars, path)
    print(f"file: {mebibytes} MiB of interactions")
    print(f"inspection: {ours:.0f} MiB/s (bar: {BAR_MEBIBYTES_PER_SECOND}), peak memory {peak:.0f} MiB (bar: 256)")
    print(f"polars scanning it: {peer:.0f} MiB/s")
    print(f"ratio to polars: {ours / peer:.2f}")


def write_interactions(path: Path, size_bytes: int) -> None:
    """Write rows that look like real ones until the file is as large as asked."""
    block = b"".join(
        b"user-%06d,item-%05d,%b,%b,%d\n"
        % (n * 7919 % 600_000, n * 104_729 % 30_000, WORDS[n % 2], VALUES[n % 3], 1_600_000_000 + n)
        for n in range(200_000)
    )
    with path.open("wb") as file:
        file.write(",".join(FIELDS).encode() + b"\n")
        while file.tell() < size_bytes:
            file.write(block)


def measured(work: Callable[[Path], int], path: Path) -> tuple[float, float]:
    """Return MiB per second of CPU and the peak of memory in MiB, in a process of its own."""
    queue: multiprocessing.Queue[tuple[float, float]] = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=measure, args=(work, path, queue))
    process.start()
    result = queue.get()
    process.join()
    return result


def measure(work: Callable[[Path], int], path: Path, queue: "multiprocessing.Queue[tuple[float, float]]") -> None:
    """Do the work on one core and tell what it cost."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    before = time.process_time()
    rows = work(path)
    seconds = time.process_time() - before
    if not rows:
        raise RuntimeError("nothing was read")
    queue.put((path.stat().st_size / MIB / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def inspect(path: Path) -> int:
    """Inspect the file as the Lambda function does."""
    inspector = Inspector(columns_of(SCHEMA, "interactions"))
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            inspector.feed(chunk)
    inspector.finish()
    if inspector.progress.faults:
        raise RuntimeError(str(inspector.progress.findings[0]))
    return inspector.progress.rows


def scan_with_polars(path: Path) -> int:
    """Read the file with the types of its schema, in polars' streaming engine."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl  # noqa: PLC0415 -- only this process needs it, and it reads its environment when imported

    types = {"USER_ID": pl.String, "ITEM_ID": pl.String, "EVENT_TYPE": pl.String}
    numbers = {"EVENT_VALUE": pl.Float32, "TIMESTAMP": pl.Int64}
    scan = pl.scan_csv(path, schema={**types, **numbers})
    # The sums and lengths make it look at every cell.
    lengths = [pl.col(name).str.len_bytes().sum() for name in types]
    sums = [pl.col(name).sum() for name in numbers]
    return int(scan.select(pl.len(), *lengths, *sums).collect(engine="streaming").item(0, 0))


if __name__ == "__main__":
    main()
