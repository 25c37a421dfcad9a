"""Thirty simulated days of a cloud that lives, and of one that does nothing: what they hold must not grow.

The living cloud gets a file of users every hour and a file of interactions every day, runs its pipeline (training,
campaign) every day, and is sent events and asked for recommendations every hour. The idle one has 20 MB in its bucket.
Both sweep as often as the stacks say. Each is a process of its own; an hour in which everything is done is skipped to
its end, so that the run is bounded by the work and not by the clock.

    python -m benchmarks.soak [--days N] [--speed N] [--only idle|living]
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.instruments.bars import Bar, report
from benchmarks.instruments.process_memory import Footprint, footprint
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from personalize_local.deploy import synthesise

GROUP: Final = "soak"
LARGEST_IDLE_GROWTH_MB: Final = 100.0  # over all days
LARGEST_LIVING_GROWTH_MB: Final = 5.0  # a day, after the first
PATIENCE_SECONDS: Final = 900
PREPARING_SPEED: Final = 600.0
EVENTS_PER_HOUR: Final = 10
QUESTIONS_PER_HOUR: Final = 10
ROWS_PER_DAY: Final = 1_000  # an interactions import needs as many
FILES: Final = 20  # in the idle cloud's bucket, of 1 MB
REQUEST: Final = {
    "datasetGroup": GROUP,
    "datasets": {
        "interactions": {"columns": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}},
        "users": {"columns": {"USER_ID": "string", "NOTE": {"type": "string", "categorical": True}}},
    },
    "eventTracker": {"name": f"{GROUP}-events"},
    "solutions": [
        {
            "name": f"{GROUP}-for-you",
            "recipeArn": "aws-user-personalization-v2",
            "campaigns": [{"name": f"{GROUP}-for-you", "minProvisionedTPS": 1}],
        }
    ],
}


@dataclass(frozen=True)
class Soaked:
    """What a cloud held at the start, after a day and at the end, and what it did meanwhile."""

    days: int
    start: Footprint
    first_day: Footprint
    end: Footprint
    sweeps: int
    imports: int
    runs: int
    errors: int
    real_seconds: float

    @property
    def growth_mb(self) -> float:
        """Return by how much cloud and children grew from start to end."""
        return self.end.total_mb - self.start.total_mb

    @property
    def growth_mb_per_day(self) -> float:
        """Return by how much they grew per day after the first."""
        return (self.end.total_mb - self.first_day.total_mb) / max(1, self.days - 1)


def main() -> int:
    """Soak both clouds, print what was measured, and return how many bars were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30, help="simulated days (default: 30)")
    parser.add_argument(
        "--speed", type=float, default=3000, help="simulated seconds in one, while it lives (default: 3000)"
    )
    parser.add_argument("--only", choices=("idle", "living"), help="one of the two clouds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        assembly = synthesise(Path(directory) / "assembly")
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as processes:
            soaking: dict[str, Future[Soaked]] = {
                name: processes.submit(soak, name, assembly, given.days, given.speed)
                for name in ("idle", "living")
                if given.only in (None, name)
            }
            soaked = {name: cloud.result() for name, cloud in soaking.items()}
    bars = []
    for name, found in soaked.items():
        tell(name, found)
        bars += _bars(name, found)
    return report(f"{given.days} simulated days", bars)


def _bars(name: str, found: Soaked) -> list[Bar]:
    detail = f"{found.sweeps} sweeps, {found.imports} import jobs, {found.runs} pipelines, {found.real_seconds:.0f} s"
    failed = Bar(f"{name}: functions that failed", found.errors, 0, at_most=True)
    if name == "idle":
        print(f"growth_idle_mb: {found.growth_mb:.1f}")
        grown = Bar("idle: MB grown", found.growth_mb, LARGEST_IDLE_GROWTH_MB, at_most=True, detail=detail)
    else:
        print(f"growth_living_mb_per_day: {found.growth_mb_per_day:.2f}")
        growth = found.growth_mb_per_day
        grown = Bar("living: MB grown a day", growth, LARGEST_LIVING_GROWTH_MB, at_most=True, detail=detail)
    return [grown, Bar(f"{name}: sweeps", found.sweeps, 0.9 * 24 * found.days), failed]


def tell(name: str, found: Soaked) -> None:
    """Print a cloud's footprints and how much each part of them grew per day after the first."""
    for when in ("start", "first_day", "end"):
        print(f"{name:<7}{when:<9} {getattr(found, when)}")
    days = max(1, found.days - 1)
    grown = {part: getattr(found.end, part) - getattr(found.first_day, part) for part in vars(found.end)}
    print(f"{name:<7}a day  " + ", ".join(f"{part} {growth / days:+.2f}" for part, growth in grown.items()))


def soak(name: str, assembly: Path, days: int, speed: float) -> Soaked:
    """Run one cloud for so many simulated days; measure it before, after the first day, and at the end."""
    began = time.monotonic()
    with Cloud(speed=PREPARING_SPEED) as cloud:
        cloud.deploy(assembly)
        (prepare_idle if name == "idle" else bring_up)(cloud)
        if name == "living":  # there is nothing to hurry for the other
            _change_speed(speed)
        work: Callable[[Cloud, int], object] = live if name == "living" else lambda *_: None
        sweeps = _hour(cloud, work, 0)
        held, today = [footprint()], []
        for hour in range(1, 24 * days + 1):
            sweeps += _hour(cloud, work, hour)
            today.append(footprint())
            if hour % 24 == 0:
                held.append(sorted(today, key=lambda hour: hour.total_mb)[12])  # workers come and go
                today.clear()
                sys.stderr.write(f"{name:<7}day {hour // 24:<3} {held[-1]}\n")
        done = sweeps, _jobs(cloud), _runs(cloud), len(cloud.lambda_errors), time.monotonic() - began
        return Soaked(days, held[0], held[1], held[-1], *done)


def _change_speed(speed: float) -> None:
    now = CLOCK.time()
    CLOCK.set_speed(speed)
    CLOCK.go_on_from(now)


def _hour(cloud: Cloud, work: Callable[[Cloud, int], object], hour: int) -> int:
    """Let an hour pass; return how often the bucket was swept in it."""
    began = CLOCK.time()
    work(cloud, hour)
    cloud.quiesce(PATIENCE_SECONDS)
    CLOCK.go_on_from(began + 3600)
    time.sleep(0.05)  # real: schedules that are due see it
    cloud.quiesce(PATIENCE_SECONDS)
    return _sweeps(cloud, began)


def _sweeps(cloud: Cloud, since: float) -> int:
    function = next(name for name in _functions(cloud) if "sweep" in name)
    found = cloud.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{function}", startTime=int(since * 1000), filterPattern="START"
    )
    return len(found["events"])


def _functions(cloud: Cloud) -> list[str]:
    return [function["FunctionName"] for function in cloud.client("lambda").list_functions()["Functions"]]


def prepare_idle(cloud: Cloud) -> None:
    """Leave the bucket with 20 MB of objects that were imported long ago."""
    bring_up(cloud, solutions=False)
    for number in range(FILES):
        rows = [f"user{row},{'x' * 980}" for row in range(number * 1000, (number + 1) * 1000)]
        _put(cloud, f"uploads/{GROUP}/users/large-{number}.csv", ["USER_ID,NOTE", *rows])
    cloud.quiesce(PATIENCE_SECONDS)


def bring_up(cloud: Cloud, *, solutions: bool = True) -> None:
    """Make datasets with some rows; with solutions, train one and deploy it."""
    upload(cloud, 0)
    upload_interactions(cloud, 0, rows=3 * ROWS_PER_DAY)
    request = REQUEST if solutions else {**REQUEST, "solutions": []}
    cloud.client("s3").put_object(
        Bucket=cloud.deployment.bucket, Key=f"requests/{GROUP}.json", Body=json.dumps(request).encode()
    )
    cloud.quiesce(PATIENCE_SECONDS)


def live(cloud: Cloud, hour: int) -> None:
    """Do what the users of a small shop do in an hour, and once a day what its engineer does."""
    upload(cloud, hour)
    if hour % 24 == 0 and hour:
        upload_interactions(cloud, hour)
        cloud.quiesce(PATIENCE_SECONDS)
        cloud.start("pipeline", {"datasetGroup": GROUP})
    send_events(cloud, hour)
    ask(cloud)


def upload(cloud: Cloud, hour: int) -> None:
    """Put a file of fifty users."""
    rows = [f"user{number},hour{hour % 24}" for number in range(hour % 24, 1000, 20)]
    _put(cloud, f"uploads/{GROUP}/users/{hour:05d}.csv", ["USER_ID,NOTE", *rows])


def upload_interactions(cloud: Cloud, hour: int, rows: int = ROWS_PER_DAY) -> None:
    """Put a day's interactions."""
    lines = [f"user{n * 7 % 500},item{n * n % 97},{1_700_000_000 + hour * 3600 + n}" for n in range(rows)]
    _put(cloud, f"uploads/{GROUP}/interactions/{hour:05d}.csv", ["USER_ID,ITEM_ID,TIMESTAMP", *lines])


def _put(cloud: Cloud, key: str, lines: list[str]) -> None:
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body="\n".join([*lines, ""]).encode())


def send_events(cloud: Cloud, hour: int) -> None:
    """Stream what some users do."""
    (tracker,) = cloud.client("personalize").list_event_trackers()["eventTrackers"]
    described = cloud.client("personalize").describe_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])
    for number in range(EVENTS_PER_HOUR):
        cloud.client("personalize-events").put_events(
            trackingId=described["eventTracker"]["trackingId"],
            userId=f"user{number}",
            sessionId=f"session-{hour}-{number}",
            eventList=[{"eventType": "watch", "itemId": f"item{number}", "sentAt": CLOCK.now()}],
        )


def ask(cloud: Cloud) -> None:
    """Ask the campaign for recommendations."""
    (campaign,) = cloud.client("personalize").list_campaigns()["campaigns"]
    for number in range(QUESTIONS_PER_HOUR):
        cloud.client("personalize-runtime").get_recommendations(
            campaignArn=campaign["campaignArn"], userId=f"user{number}"
        )


def _jobs(cloud: Cloud) -> int:
    pages: Any = cloud.client("personalize").get_paginator("list_dataset_import_jobs").paginate()
    return sum(len(page["datasetImportJobs"]) for page in pages)


def _runs(cloud: Cloud) -> int:
    arn = cloud.deployment.state_machines["pipeline"]
    found = cloud.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return sum(run["status"] == "SUCCEEDED" for run in found)


if __name__ == "__main__":
    raise SystemExit(main())
