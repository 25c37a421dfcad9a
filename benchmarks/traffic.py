"""Three simulated days of steady uploads: everything keeps moving, trainings come as the policy says, nothing is red.

A file is uploaded every four simulated minutes, in turn to three datasets of two groups, each with a retrain policy by
rows. What waited longest is read from the ledger, what ran from Step Functions, what was trained from Personalize.

    python -m benchmarks.traffic [--days N] [--speed N]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from benchmarks.instruments.bars import Bar, report
from personalize_local.aws.stepfunctions.executions import all_executions
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from personalize_local.deploy import synthesise

GROUPS: Final = ("shop", "films")
COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "interactions": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
    "items": {"ITEM_ID": "string", "GENRE": {"type": "string", "categorical": True}},
    "users": {"USER_ID": "string", "AGE": {"type": "int"}},
}
EVERY_SECONDS: Final = 240
TOLD_EVERY: Final = 45  # files
ROWS: Final = 1_000  # a file of interactions; an import takes as many at least
ROWS_PER_TRAINING: Final = 40_000
PATIENCE_SECONDS: Final = 1800
MOST_EVENTS: Final = 10_000
IMPORTS_WAITED: Final = 3


def main() -> int:
    """Run the traffic, print what became of it, and return how many bars were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=3, help="simulated days (default: 3)")
    parser.add_argument("--speed", type=float, default=120, help="simulated seconds in one (default: 120)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        assembly = synthesise(Path(directory))
        with Cloud(speed=given.speed) as cloud:
            cloud.deploy(assembly)
            began = time.monotonic()
            uploaded = drive(cloud, int(given.days * 86_400 / EVERY_SECONDS))
            cloud.quiesce(PATIENCE_SECONDS)
            print(f"uploads: {uploaded}, real seconds: {time.monotonic() - began:.0f}")
            bars = [*_trainings(cloud), *_waiting(cloud), *_executions(cloud)]
    return report(f"{given.days:g} simulated days of a file every {EVERY_SECONDS // 60} minutes", bars)


def drive(cloud: Cloud, count: int) -> int:
    """Bring the groups up, then upload a file at a time, each at its simulated moment; return how many."""
    for group in GROUPS:
        for dataset in COLUMNS:
            put(cloud, f"uploads/{group}/{dataset}/first.csv", content(dataset, 999_999))
        put(cloud, f"requests/{group}.json", json.dumps(request(group)).encode())
    cloud.quiesce(PATIENCE_SECONDS)  # from here on everything is there, and only files come
    began = CLOCK.time()
    targets = cycle([(group, dataset) for dataset in COLUMNS for group in GROUPS])
    for number, (group, dataset) in zip(range(count), targets, strict=False):
        time.sleep(max(0.0, began + number * EVERY_SECONDS - CLOCK.time()) / cloud.speed)
        put(cloud, f"uploads/{group}/{dataset}/{number:06d}.csv", content(dataset, number))
        if number % TOLD_EVERY == 0:
            hours = number * EVERY_SECONDS / 3600
            print(f"{hours:.0f} of {count * EVERY_SECONDS / 3600:.0f} hours ...", file=sys.stderr, flush=True)
    return count


def request(group: str) -> dict[str, Any]:
    """Return a request with a cheap recipe, trained again after so many rows."""
    return {
        "datasetGroup": group,
        "datasets": {dataset: {"columns": columns} for dataset, columns in COLUMNS.items()},
        "solutions": [{"name": f"{group}-popular", "recipeArn": "aws-popularity-count"}],
        "retrain": {"rowsSince": ROWS_PER_TRAINING},
    }


def content(dataset: str, number: int) -> bytes:
    """Return a file of a dataset, different from every other."""
    rows = {
        "interactions": (f"user{row % 97},item{row % 89},{1_700_000_000 + number * ROWS + row}" for row in range(ROWS)),
        "items": (f"item{number}-{row},drama" for row in range(20)),
        "users": (f"user{number}-{row},{20 + row}" for row in range(20)),
    }[dataset]
    return "\n".join([",".join(COLUMNS[dataset]), *rows, ""]).encode()


def put(cloud: Cloud, key: str, body: bytes) -> None:
    """Put an object into the stage's bucket."""
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)


def _trainings(cloud: Cloud) -> Iterator[Bar]:
    personalize = cloud.client("personalize")
    for solution in personalize.list_solutions()["solutions"]:
        group = solution["name"].removesuffix("-popular")
        versions = personalize.list_solution_versions(solutionArn=solution["solutionArn"])["solutionVersions"]
        rows = sum(int(item["rows"]["N"]) for item in _items(cloud, f"{group}/imports") if "rows" in item)
        expected = rows / ROWS_PER_TRAINING
        done = len([version for version in versions if version["status"] == "ACTIVE"])
        yield Bar(f"{group}: trainings beside the policy's", abs(done - expected), 1.5, at_most=True,
                  detail=f"{done} trainings, {rows} rows imported")  # fmt: skip


def _waiting(cloud: Cloud) -> Iterator[Bar]:
    imports = cloud.client("personalize").list_dataset_import_jobs(maxResults=100)["datasetImportJobs"]
    lasted = max((job["lastUpdatedDateTime"] - job["creationDateTime"]).total_seconds() for job in imports)
    rows = [item for group in GROUPS for dataset in COLUMNS for item in _items(cloud, f"{group}/{dataset}", "file#")]
    left = [item for item in rows if item.get("state") != {"S": "IMPORTED"}]  # of what is open a marker has no state
    waits = sorted(
        (_waited(item), item["key"]["S"], item["arrived"]["S"])
        for item in rows
        if item not in left and not item["key"]["S"].endswith("/first.csv")
    )
    waited = [seconds for seconds, _, _ in waits]
    for seconds, key, arrived in waits[-3:]:
        print(f"waited {seconds / 60:.0f} minutes: {key}, uploaded {arrived}")
    yield Bar("files that are not imported", len(left), 0, at_most=True)
    yield Bar("longest wait in import durations", max(waited) / lasted, IMPORTS_WAITED, at_most=True,
              detail=f"{max(waited) / 60:.0f} of {lasted / 60:.0f} minutes")  # fmt: skip


def _executions(cloud: Cloud) -> Iterator[Bar]:
    ended = list(all_executions())
    red = [execution for execution in ended if execution.status != "SUCCEEDED"]
    for execution in red[:3]:
        print(f"red: {execution.name}: {execution.error}: {str(execution.cause)[:300]}")
    events = max(len(execution.events()) for execution in ended)
    yield Bar("executions that are red", len(red), 0, at_most=True, detail=f"of {len(ended)}")
    yield Bar("events of the longest history", events, MOST_EVENTS, at_most=True)
    yield Bar("functions that failed", len(cloud.lambda_errors), 0, at_most=True)


def _items(cloud: Cloud, dataset: str, prefix: str = "") -> Iterator[dict[str, Any]]:
    pages = cloud.client("dynamodb").get_paginator("query").paginate(
        TableName=next(iter(cloud.deployment.tables.values())),
        KeyConditionExpression="dataset = :dataset AND begins_with(entry, :prefix)" if prefix else "dataset = :dataset",
        ExpressionAttributeValues={":dataset": {"S": dataset}, **({":prefix": {"S": prefix}} if prefix else {})},
    )  # fmt: skip
    for page in pages:
        yield from page["Items"]


def _waited(item: dict[str, Any]) -> float:
    return _moment(item["settled"]["S"]) - _moment(item["arrived"]["S"])


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    raise SystemExit(main())
