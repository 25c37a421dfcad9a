"""Ten thousand uploads in one burst to two datasets: nothing may be lost, nothing read twice, and few jobs do it.

Every object's event is delivered once, every tenth one twice, all of them shuffled. What was imported is read from
dataset export jobs, what was read twice from the very files that the import jobs were pointed at; neither asks the
ledger. Sweeps run meanwhile, as often as the stacks say, so that every object is found in two ways; without them
(--no-sweeps) a burst also has to get by with few jobs.

    python -m benchmarks.burst [--objects N] [--no-sweeps]
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.instruments.bars import Bar, report
from benchmarks.instruments.process_memory import Watched, peak_mb
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from personalize_local.deploy import synthesise

GROUP = "burst"
ROWS = 20  # per object
REPEATED_SHARE = 0.1
IMPORT_SECONDS = 20 * 60  # simulated
# Real; how long the local cloud takes to record one. The clock is set so that the burst is over before the first import
# is, as it would be on AWS.
SECONDS_PER_OBJECT = 0.03
PREPARING_SPEED = 600.0
PATIENCE_SECONDS = 1800
LARGEST_MEMORY_MB = 1536.0  # the cloud and all its children
FIELDS: dict[str, dict[str, str]] = {
    "interactions": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
    "users": {"USER_ID": "string", "GENRE": "string"},
}


@dataclass
class Burst:
    """What was uploaded, and what is known of the imports afterwards."""

    expected: dict[str, set[str]]
    exported: dict[str, set[str]]
    read: dict[str, Counter[str]]
    jobs: dict[str, int]

    @property
    def lost(self) -> int:
        """Return how many uploaded rows are in no dataset."""
        return sum(len(self.expected[dataset] - self.exported[dataset]) for dataset in FIELDS)

    @property
    def duplicated(self) -> int:
        """Return how many rows import jobs have read more than once."""
        return sum(times - 1 for counts in self.read.values() for times in counts.values())


def main() -> int:
    """Run the burst, print what became of it, and return how many bars were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000, help="how many objects to upload (default: 10,000)")
    parser.add_argument("--sweeps", action=argparse.BooleanOptionalAction, default=True, help="sweep meanwhile")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        assembly = synthesise(Path(directory))
        with Cloud(speed=PREPARING_SPEED, schedules=given.sweeps) as cloud, Watched() as memory:
            cloud.deploy(assembly)
            cloud.personalize.durations.set_seconds("create dataset_import_job", IMPORT_SECONDS)
            burst = run(cloud, given.objects)
            errors, peak = len(cloud.lambda_errors), peak_mebibytes(cloud)
    jobs = Bar("import jobs", sum(burst.jobs.values()), len(FIELDS) + 2, at_most=True)  # 1 per GB per dataset, plus two
    bars = [
        Bar("rows lost", burst.lost, 0, at_most=True),
        Bar("rows read twice", burst.duplicated, 0, at_most=True),
        Bar("MB of the cloud and its children", memory.most_mb, LARGEST_MEMORY_MB, at_most=True),
        Bar("functions that failed", errors, 0, at_most=True),
    ]
    print(f"lost: {burst.lost}\nduplicated: {burst.duplicated}\njobs: {sum(burst.jobs.values())}")
    print(f"most memory: {memory.most_mb:.0f} MB, of it the cloud's own process: {peak_mb():.0f} MB at its peak")
    print(f"peak memory of a function's process: {peak:.0f} MiB")
    return report(f"{given.objects:,} objects at once", bars if given.sweeps else [*bars, jobs])


def run(cloud: Cloud, objects: int) -> Burst:
    """Upload, deliver, import, count."""
    arns = {dataset: create_dataset(cloud, dataset, fields) for dataset, fields in FIELDS.items()}
    before, began = cloud.transitions(), time.monotonic()
    expected, events = upload(cloud, objects)
    uploaded = time.monotonic()
    change_speed(IMPORT_SECONDS / (5 + objects * SECONDS_PER_OBJECT))
    deliver(cloud, events)
    wait_until_recorded(cloud)
    recorded = time.monotonic()
    cloud.quiesce(PATIENCE_SECONDS)
    imported = time.monotonic()
    change_speed(PREPARING_SPEED)
    jobs = {dataset: active_jobs(cloud, arn) for dataset, arn in arns.items()}
    print(f"objects: {objects}, events: {len(events)}, rows: {sum(map(len, expected.values()))}")
    print(f"transitions: {cloud.transitions() - before}")
    print(
        f"seconds: {uploaded - began:.0f} uploading, {recorded - uploaded:.0f} recording "
        f"({len(events) / (recorded - uploaded):.0f} events/s), {imported - recorded:.0f} importing"
    )
    return Burst(
        expected,
        {dataset: exported_rows(cloud, dataset, arn) for dataset, arn in arns.items()},
        {dataset: rows_read(cloud, found) for dataset, found in jobs.items()},
        {dataset: len(found) for dataset, found in jobs.items()},
    )


def change_speed(speed: float) -> None:
    """Let simulated time go on, faster or slower."""
    now = CLOCK.time()
    CLOCK.set_speed(speed)
    CLOCK.go_on_from(now)


def create_dataset(cloud: Cloud, dataset: str, fields: dict[str, str]) -> str:
    """Create a dataset with its schema in the group; return its ARN."""
    group_arn = ensure(cloud, "dataset_group", name=GROUP)
    name = "".join(word.capitalize() for word in dataset.split("_"))
    schema = {
        "type": "record",
        "name": name,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": field, "type": kind} | ({"categorical": True} if field == "GENRE" else {})
            for field, kind in fields.items()
        ],
        "version": "1.0",
    }
    schema_arn = ensure(cloud, "schema", name=f"{GROUP}-{dataset}", schema=json.dumps(schema))
    wish = {"name": dataset, "datasetType": dataset.upper(), "datasetGroupArn": group_arn, "schemaArn": schema_arn}
    return ensure(cloud, "dataset", **wish)


def ensure(cloud: Cloud, kind: str, **request: Any) -> str:
    """Bring a resource to ACTIVE and return its ARN."""
    run = cloud.run("ensure_resource", {"type": kind, "request": request}, PATIENCE_SECONDS)
    if run.status != "SUCCEEDED":
        raise RuntimeError(f"{kind}: {run.error}: {run.cause}")
    return str(run.output["arn"])


def upload(cloud: Cloud, objects: int) -> tuple[dict[str, set[str]], list[dict[str, Any]]]:
    """Put the objects, without anybody hearing of it; return their rows and the events that S3 would send."""
    expected: dict[str, set[str]] = {dataset: set() for dataset in FIELDS}
    events = []
    switch_rules(cloud, on=False)
    s3, bucket = cloud.client("s3"), cloud.deployment.bucket
    for number in range(objects):
        dataset = list(FIELDS)[number % len(FIELDS)]
        rows = [row_of(dataset, number * ROWS + row) for row in range(ROWS)]
        expected[dataset].update(rows)
        key = f"uploads/{GROUP}/{dataset}/{number:05d}.csv"
        content = "\n".join([",".join(FIELDS[dataset]), *rows, ""]).encode()
        answer = s3.put_object(Bucket=bucket, Key=key, Body=content)
        found = {"key": key, "size": len(content), "etag": answer["ETag"].strip('"')}
        found |= {"version-id": answer["VersionId"], "sequencer": f"{number:016X}"}
        detail = {"version": "0", "bucket": {"name": bucket}, "object": found, "reason": "PutObject"}
        events.append({"source": "aws.s3", "time": CLOCK.now().isoformat(), "detail": detail})
    switch_rules(cloud, on=True)
    rng = random.Random(0)
    events += rng.sample(events, round(objects * REPEATED_SHARE))
    rng.shuffle(events)
    return expected, events


def row_of(dataset: str, number: int) -> str:
    """Return a row that no other object has."""
    if dataset == "users":
        return f"user{number},genre{number % 20}"
    return f"user{number % 5000},item{number % 997},{1_700_000_000 + number}"


def switch_rules(cloud: Cloud, *, on: bool) -> None:
    """Have S3's events delivered, or not."""
    events = cloud.client("events")
    for rule in events.list_rules()["Rules"]:
        if "EventPattern" in rule:
            (events.enable_rule if on else events.disable_rule)(Name=rule["Name"])


def deliver(cloud: Cloud, events: list[dict[str, Any]]) -> None:
    """Put the events into the queue, in the order given."""
    sqs = cloud.client("sqs")
    (queue,) = (url for name, url in cloud.deployment.queues.items() if "dead" not in name)
    for start in range(0, len(events), 10):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(event)}
            for number, event in enumerate(events[start : start + 10])
        ]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)


def wait_until_recorded(cloud: Cloud) -> None:
    """Wait until the queue is empty."""
    sqs = cloud.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    (queue,) = (url for name, url in cloud.deployment.queues.items() if "dead" not in name)
    while any(map(int, sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"].values())):
        time.sleep(0.2)


def active_jobs(cloud: Cloud, dataset_arn: str) -> list[str]:
    """Return where the files lay that the dataset's import jobs have read."""
    personalize = cloud.client("personalize")
    pages = personalize.get_paginator("list_dataset_import_jobs").paginate(datasetArn=dataset_arn)
    arns = [job["datasetImportJobArn"] for page in pages for job in page["datasetImportJobs"]]
    jobs = [personalize.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"] for arn in arns]
    return [job["dataSource"]["dataLocation"] for job in jobs if job["status"] == "ACTIVE"]


def rows_read(cloud: Cloud, locations: list[str]) -> Counter[str]:
    """Return how often each row was read, from the files that the jobs were pointed at."""
    return Counter(row for location in locations for row in rows_below(cloud, location))


def exported_rows(cloud: Cloud, dataset: str, dataset_arn: str) -> set[str]:
    """Return the dataset's rows as an export job tells them."""
    path = f"s3://{cloud.deployment.bucket}/results/export/{dataset}/"
    ensure(
        cloud,
        "dataset_export_job",
        jobName=f"{GROUP}-{dataset}-export",
        datasetArn=dataset_arn,
        ingestionMode="BULK",
        roleArn=cloud.deployment.personalize_role_arn,
        jobOutput={"s3DataDestination": {"path": path}},
    )
    return set(rows_below(cloud, path))


def rows_below(cloud: Cloud, location: str) -> Iterator[str]:
    """Yield the rows of all files at a location, headers left out."""
    s3 = cloud.client("s3")
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            text = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read().decode()
            yield from filter(None, text.splitlines()[1:])


def peak_mebibytes(cloud: Cloud) -> float:
    """Return the most memory that a process of a function has ever held."""
    functions = cloud.client("lambda").list_functions()["Functions"]
    pids = [pid for function in functions for pid in cloud.worker_pids(function["FunctionName"])]
    return max(map(peak_mb, pids), default=0.0)


if __name__ == "__main__":
    raise SystemExit(main())
