"""Personalize over HTTP: what a describe costs beside moto's own sts get_caller_identity, and 16 clients at once.

`python -m benchmarks.control_plane [--calls 400] [--resources 200] [--seconds 30]`. Both calls are measured in turns in
one process, so that the machine's mood falls on both alike. The bar is 1.5 times.
"""

import argparse
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.server import ThreadedMotoServer
from rich.console import Console
from rich.table import Table

from personalize_local import personalize
from personalize_local.clock import CLOCK
from personalize_local.personalize.controls.quotas import Quota

BAR: Final = 1.5
CLIENTS: Final = 16
_NO_LIMIT: Final = Quota(10**9, "present", "region")


def main() -> int:
    """Print both measurements; fail when the bar is missed or a call failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--resources", type=int, default=200, help="dataset groups that are there meanwhile")
    parser.add_argument("--seconds", type=float, default=30, help="how long the clients go on")
    args = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with _served() as endpoint:
        ratio = _compare(endpoint, args.calls, args.resources)
        failures = _crowd(endpoint, args.seconds)
    return 0 if ratio <= BAR and not failures else 1


@contextmanager
def _served() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        quotas = personalize.start(Path(directory)).quotas
        quotas.table["dataset_group"] = quotas.table["schema"] = _NO_LIMIT
        CLOCK.set_speed(3600)
        try:
            with mock_aws():
                server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
                server.start()
                yield "http://{}:{}".format(*server.get_host_and_port())
                server.stop()
        finally:
            personalize.stop()


def _client(service: Any, endpoint: str) -> Any:
    return boto3.client(
        service,
        "us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",  # noqa: S106 - the local cloud checks none
        config=Config(retries={"total_max_attempts": 1}),
    )


def _compare(endpoint: str, calls: int, resources: int) -> float:
    client, peer = _client("personalize", endpoint), _client("sts", endpoint)
    arns = [client.create_dataset_group(name=f"g{n}")["datasetGroupArn"] for n in range(resources)]
    ours, theirs = [], []
    for turn in range(calls):
        arn = arns[turn % len(arns)]
        ours.append(_seconds(partial(client.describe_dataset_group, datasetGroupArn=arn)))
        theirs.append(_seconds(peer.get_caller_identity))
    ratio = statistics.median(ours) / statistics.median(theirs)
    table = Table(title=f"one call over HTTP, {calls} calls each, {resources} resources there")
    for column in ("call", "median ms", "90th percentile ms"):
        table.add_column(column, justify="right" if "ms" in column else "left")
    for name, times in (("describe_dataset_group", ours), ("sts get_caller_identity (moto)", theirs)):
        table.add_row(
            name, f"{statistics.median(times) * 1e3:.2f}", f"{statistics.quantiles(times, n=10)[-1] * 1e3:.2f}"
        )
    console = Console(width=100)
    console.print(table)
    console.print(f"ratio {ratio:.2f} (bar {BAR})")
    return ratio


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _crowd(endpoint: str, seconds: float) -> int:
    """Let clients create, describe and delete groups at once; return how many calls failed or went astray."""
    counts, problems = [0] * CLIENTS, [0] * CLIENTS
    end = time.monotonic() + seconds

    def live(number: int) -> None:
        client = _client("personalize", endpoint)
        while time.monotonic() < end:
            try:
                counts[number] += _one_life(client, f"c{number}-{counts[number]}")
            except Exception as error:  # noqa: BLE001 - every kind of failure counts
                problems[number] += 1
                print(f"client {number}: {error}", file=sys.stderr)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{CLIENTS} clients for {seconds:g} s: {sum(counts)} calls, {sum(problems)} failed or lost")
    return sum(problems)


def _one_life(client: Any, name: str) -> int:
    """Create a group, see it become ACTIVE, delete it, see it gone; return how many calls that took."""
    arn = client.create_dataset_group(name=name)["datasetGroupArn"]
    calls, status = 1, ""
    while status != "ACTIVE":
        status = client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"]
        calls += 1
        if status not in {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"}:
            raise RuntimeError(f"{name} went to {status!r}")
    client.delete_dataset_group(datasetGroupArn=arn)
    while True:
        calls += 1
        try:
            client.describe_dataset_group(datasetGroupArn=arn)
        except client.exceptions.ResourceNotFoundException:
            return calls + 1


if __name__ == "__main__":
    sys.exit(main())
