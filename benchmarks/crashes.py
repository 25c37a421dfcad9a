"""`kill -9` at random moments of the demo's two uploads; then a start has to end with every row imported once.

Each round begins with an empty directory: a served app with `--state` is given the demo's files and request, and after
their import the file of a week later. The first round is left alone, to learn how long that takes; every other is
killed at a random moment, started again on the same directory, given again what the kept moment does not know (a client
would see that it is missing), and looked at: rows are read from dataset export jobs, not from the ledger.

    python -m benchmarks.crashes [--kills N] [--in-a-row N] [--assembly cdk.out]
"""

import argparse
import csv
import io
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.instruments.served_app import ServedApp
from examples import movies
from personalize_local.deploy import synthesise

PATIENCE_SECONDS = 400.0
LOOK_SECONDS = 0.25
GROUP = "movies"
FIRST = ("interactions/history.csv", "items/catalogue.csv", "users/members.csv")
LATER = "interactions/week-2.csv"
REQUEST = f"requests/{GROUP}.json"


@dataclass
class Uploads:
    """The demo's files, and the moments at which small objects were put to date the kept moment."""

    files: dict[str, bytes]
    beats: list[float] = field(default_factory=list)

    def put_missing(self, server: ServedApp, keys: tuple[str, ...]) -> None:
        """Put the objects that the bucket does not have."""
        s3, bucket = server.client("s3"), server.places["bucket"]
        there = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", ())}
        for key in keys:
            if key not in there:
                s3.put_object(Bucket=bucket, Key=key, Body=self.files[key])

    def beat(self, server: ServedApp) -> None:
        """Put an object whose presence will tell how old the kept moment is."""
        server.client("s3").put_object(Bucket=server.places["bucket"], Key=f"beats/{len(self.beats):06d}", Body=b"")
        self.beats.append(time.monotonic())

    def age(self, server: ServedApp, died: float) -> float:
        """Return how long before a death the first object was put that is not there; forget those that are not."""
        found = server.client("s3").list_objects_v2(Bucket=server.places["bucket"], Prefix="beats/")
        kept = int(found.get("KeyCount", 0))
        lost = self.beats[kept:]
        del self.beats[kept:]
        return died - lost[0] if lost else 0.0


def read_uploads(directory: Path) -> Uploads:
    """Return the demo's files by key, and its request, without what follows the imports."""
    written = {key.removeprefix("later/"): path.read_bytes() for key, path in movies.write(directory).items()}
    request = json.loads((Path(movies.__file__).parent / "movies.json").read_text(encoding="utf-8"))
    request["solutions"] = []  # a training takes what a hundred imports do
    return Uploads({**written, REQUEST: json.dumps(request).encode()})


def walk(server: ServedApp, uploads: Uploads) -> Iterator[None]:
    """Make both uploads and wait for what they bring about, a look at a time; go on where a former walk ended."""
    first = (*(f"uploads/{GROUP}/{name}" for name in FIRST), REQUEST)
    uploads.put_missing(server, first)
    yield from until(lambda: imported(server) >= len(FIRST))
    uploads.put_missing(server, (f"uploads/{GROUP}/{LATER}",))
    yield from until(lambda: imported(server) > len(FIRST))
    yield from until(lambda: rests(server))


def until(holds: Callable[[], bool]) -> Iterator[None]:
    """Look again and again; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not seen within {PATIENCE_SECONDS:g} s: {holds.__qualname__}")
        yield
        time.sleep(LOOK_SECONDS)


def imported(server: ServedApp) -> int:
    """Return how many uploaded files the ledger says were imported."""
    return sum(item.get("state", {}).get("S") == "IMPORTED" for item in ledger(server))


def ledger(server: ServedApp) -> list[dict[str, Any]]:
    """Return all items of the ledger."""
    pages = server.client("dynamodb").get_paginator("scan").paginate(TableName=server.places["tables"]["ledger"])
    return [item for page in pages for item in page["Items"]]


def rests(server: ServedApp) -> bool:
    """Tell whether no execution runs any more."""
    states = server.client("stepfunctions")
    machines = server.places["stateMachines"].values()
    found = (states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"] for arn in machines)
    return not any(found)


def faults(server: ServedApp, uploads: Uploads) -> list[str]:
    """Return what is wrong in the end, in words."""
    entries = Counter(item["key"]["S"] for item in ledger(server) if item["entry"]["S"].startswith("file#"))
    wrong = [f"{count} rows of the ledger for {key}" for key, count in entries.items() if count != 1]
    for dataset in server.client("personalize").list_datasets()["datasets"]:
        kind = dataset["datasetType"]
        got, wanted = exported(server, dataset["datasetArn"]), expected(uploads, kind)
        if lost := (wanted - got).total():
            wrong.append(f"{lost} rows of {kind} lost")
        if doubled := (got - wanted).total():
            wrong.append(f"{doubled} rows of {kind} too many")
    return wrong


def expected(uploads: Uploads, kind: str) -> Counter[tuple[str, ...]]:
    """Return the uploaded rows of a dataset, in a fixed order of columns."""
    prefix = f"uploads/{GROUP}/{kind.lower()}/"
    return sum((rows(body) for key, body in uploads.files.items() if key.startswith(prefix)), Counter())


def rows(body: bytes) -> Counter[tuple[str, ...]]:
    """Return the rows of a CSV file, their values in the order of the columns' names."""
    read = csv.DictReader(io.StringIO(body.decode("utf-8")))
    return Counter(tuple(value for _, value in sorted(row.items())) for row in read)


def exported(server: ServedApp, dataset_arn: str) -> Counter[tuple[str, ...]]:
    """Return the rows that a dataset export job writes."""
    personalize, s3, bucket = server.client("personalize"), server.client("s3"), server.places["bucket"]
    prefix = f"results/exports/{time.time_ns()}/"
    arn = personalize.create_dataset_export_job(
        jobName=f"look-{time.time_ns()}",
        datasetArn=dataset_arn,
        ingestionMode="ALL",
        roleArn=server.places["personalizeRoleArn"],
        jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/{prefix}"}},
    )["datasetExportJobArn"]

    def is_over() -> bool:
        job = personalize.describe_dataset_export_job(datasetExportJobArn=arn)["datasetExportJob"]
        if job["status"] == "CREATE FAILED":
            raise RuntimeError(job["failureReason"])
        return bool(job["status"] == "ACTIVE")

    for _ in until(is_over):
        pass
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    return sum((rows(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys), Counter())


@contextmanager
def ending(server: ServedApp) -> Iterator[ServedApp]:
    """Kill the server in the end, whatever happens."""
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)


def undisturbed(uploads: Uploads, assembly: Path) -> float:
    """Return how many seconds the walk takes when nothing is killed."""
    with tempfile.TemporaryDirectory() as directory, ending(ServedApp(Path(directory) / "state", assembly)) as server:
        began = time.monotonic()
        for _ in walk(server, uploads):
            pass
        took = time.monotonic() - began
        if wrong := faults(server, uploads):
            raise RuntimeError(f"without any kill: {'; '.join(wrong)}")
    return took


def killed(uploads: Uploads, assembly: Path, moments: Sequence[float]) -> tuple[list[str], float]:
    """Kill one walk at each of the moments, counted from a start each, and finish it then.

    Return what is wrong in the end and the age of the oldest moment that was found after a kill.
    """
    uploads.beats.clear()
    oldest, died = 0.0, 0.0
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state"
        for after_seconds in moments:
            with ending(ServedApp(state, assembly)) as server:
                oldest = max(oldest, uploads.age(server, died))
                began = time.monotonic()
                for _ in walk(server, uploads):
                    if time.monotonic() - began > after_seconds:
                        break
                    uploads.beat(server)
                died = time.monotonic()
        with ending(ServedApp(state, assembly)) as server:
            oldest = max(oldest, uploads.age(server, died))
            for _ in walk(server, uploads):
                pass
            return faults(server, uploads), oldest


def main() -> None:
    """Kill as often as asked and print what came of it, one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how often (default: %(default)s)")
    parser.add_argument("--in-a-row", type=int, default=1, help="how often one walk is killed (default: %(default)s)")
    parser.add_argument("--assembly", type=Path, help="deploy this cdk.out instead of synthesising the app")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (default: %(default)s)")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as directory:
        uploads = read_uploads(Path(directory) / "data")
        assembly = arguments.assembly or synthesise(Path(directory) / "assembly")
        seconds = undisturbed(uploads, assembly)
        print(f"undisturbed_seconds: {seconds:.1f}", flush=True)
        good, oldest = 0, 0.0
        for first in range(0, arguments.kills, arguments.in_a_row):
            count = min(arguments.in_a_row, arguments.kills - first)
            moments = [chance.uniform(0, seconds / count) for _ in range(count)]
            try:
                wrong, age = killed(uploads, assembly, moments)
            except (TimeoutError, RuntimeError, ClientError, BotoCoreError) as error:
                wrong, age = [f"{type(error).__name__}: {error}"], 0.0
            good, oldest = good + count * (not wrong), max(oldest, age)
            told = ", ".join(f"{moment:.1f}" for moment in moments)
            print(f"killed after {told} s, moment {age:.1f} s old: {'; '.join(wrong) or 'every row once'}", flush=True)
        print(f"kills: {arguments.kills}\nrecovered: {good}\noldest_moment_seconds: {oldest:.1f}")
    sys.exit(good < arguments.kills)


if __name__ == "__main__":
    main()
