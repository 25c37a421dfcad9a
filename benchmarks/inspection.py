"""How fast uploads are inspected, beside polars reading the same file: lines, cells and types against bytes per second.

Both run on one core and stream; the inspection is the Lambda function's own loop over 8 MiB chunks. Then what it takes
to leave the bad rows out of many files, and to check a batch input as large as the service reads, against what the
functions have: their memory, and the CPU time that the local cloud lets them have.

    python -m benchmarks.inspection [--mebibytes N]
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.instruments.folder_client import VERSION, FolderClient
from lambdas.file_checks.batch_input import LARGEST_BYTES, check_batch_input
from lambdas.file_checks.columns import columns_of
from lambdas.file_checks.csv_check import Inspector
from lambdas.gateways.s3 import S3Objects
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.claims import ClaimDecision
from lambdas.uploads.dataset_facts import DatasetFacts
from lambdas.uploads.import_selection import ImportSelection
from lambdas.uploads.import_state import ImportState, ImportStepInput, NextStep
from lambdas.uploads.lease import Lease
from lambdas.uploads.records.file_row import FileRow
from lambdas.uploads.staging import ImportJobs, Staging

if TYPE_CHECKING:
    from benchmarks.instruments.bars import Bar

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
CLEANED_FILES = 16
CLEANED_FILE_BYTES = 64 * MIB
BAR_CLEANING_MEBIBYTES = 300 * 10**6 / MIB
NOW = "2026-11-20T12:00:00Z"
BATCH_LINES = {
    "as in the guide": '{"userId": "%d", "filterValues": {"genres": "\\"drama\\",\\"comedy\\"", "minimum": "5"}}',
    "each parsed by itself": '{"userId": "%d", "filterValues": {"genres": "\\u0022com\\u00e9die\\u0022"}}',
}
WORDS = (b"watch", b"click")
VALUES = (b"", b"4.5", b"12")
SCHEMA = json.dumps({"type": "record", "fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()]})


def main() -> int:
    """Write files, work through them, print the figures, and return how many bars were missed."""
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
    from benchmarks.instruments.bars import report  # noqa: PLC0415 -- polars comes with it, which no function holds

    return report("functions' means", list(bars()))


def bars() -> "Iterator[Bar]":
    """Measure what works through whole files in one invocation."""
    from benchmarks.instruments.bars import Bar  # noqa: PLC0415 -- as above
    from personalize_local.aws.lambda_.allowance import Allowance  # noqa: PLC0415
    from stacks.grants import GRANTS  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bad.csv"
        write_interactions(path, CLEANED_FILE_BYTES, bad=b"ann,item,watch,x,yesterday\n")
        _, peak = measured(clean, path)
        yield Bar(f"cleaning {CLEANED_FILES} files of 64 MiB, peak MiB", peak, BAR_CLEANING_MEBIBYTES, at_most=True)
    for name, line in BATCH_LINES.items():
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "users.json"
            write_lines(path, line, LARGEST_BYTES)
            rate, peak = measured(check_batch, path)
            function = GRANTS["plan_request"]
            means = Allowance.of(function.memory_mib, function.timeout_seconds, share_cpu=True)
            cpu_seconds = path.stat().st_size / MIB / rate
        used = f"1 GB of batch input, {name}"
        yield Bar(f"{used}: CPU seconds", cpu_seconds, means.cpu_seconds or 0, at_most=True)
        yield Bar(f"{used}: peak MiB", peak, means.memory_bytes / MIB, at_most=True)


def clean(path: Path) -> int:
    """Leave the bad rows out of many files as `stage_uploads` does, and return how many bytes were good."""
    import lambdas.wiring  # noqa: F401, PLC0415 -- what the function holds before it begins: boto3, Powertools, pydantic

    client = FolderClient(path)
    key = "uploads/movies/interactions/{}.csv"
    rows = tuple(
        FileRow("movies/interactions", key.format(n), VERSION, True, CLEANED_FILE_BYTES, NOW, rows=1000, bad_rows=1)
        for n in range(CLEANED_FILES)
    )
    facts = DatasetFacts(arn="arn", schema_text=SCHEMA, created=NOW, filled=False)
    state = ImportState(facts=facts)
    step = ImportStepInput(datasetGroup="movies", dataset="interactions", execution="arn", time=NOW, state=state)
    decision = ClaimDecision(state, Lease("movies/interactions"), ImportSelection("FULL", rows))
    decided: Any = SimpleNamespace(decide=lambda _: decision, unless_lost=lambda _, act: act())
    nothing: Any = SimpleNamespace(claim=lambda *_, **__: True, keep=lambda *_, **__: None)
    staging = Staging(nothing, nothing, decided, S3Objects(client, "bucket"), ImportJobs("role"), lambda: False)
    staged = staging.stage(step, UploadPolicy())
    if staged.next_step is not NextStep.IMPORT:
        raise RuntimeError(staged.message)
    return client.written_bytes


def check_batch(path: Path) -> int:
    """Check the file as `plan_request` does."""
    import lambdas.wiring  # noqa: F401, PLC0415 -- as in `clean`

    check_batch_input(S3Objects(FolderClient(path), "bucket"), "s3://bucket/uploads/movies/batch/weekly/users.json")
    return 1


def write_lines(path: Path, line: str, size_bytes: int) -> None:
    """Write as many lines as fit."""
    block = "".join(line % number + "\n" for number in range(100_000)).encode()
    with path.open("wb") as file:
        while file.tell() + len(block) < size_bytes:
            file.write(block)


def write_interactions(path: Path, size_bytes: int, bad: bytes = b"") -> None:
    """Write rows that look like real ones, and now and then a bad one, until the file is as large as asked."""
    block = b"".join(
        b"user-%06d,item-%05d,%b,%b,%d\n"
        % (n * 7919 % 600_000, n * 104_729 % 30_000, WORDS[n % 2], VALUES[n % 3], 1_600_000_000 + n)
        for n in range(200_000)
    )
    with path.open("wb") as file:
        file.write(",".join(FIELDS).encode() + b"\n")
        while file.tell() < size_bytes:
            file.write(block + bad)


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
    raise SystemExit(main())
