"""Sixteen clients at once: no call fails, no resource is lost, no status goes where it cannot come from.

The run is short here; PERSONALIZE_THREADS_SECONDS=30 gives it the promised length.
"""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from personalize_local.clock import CLOCK
from personalize_local.personalize.controls.quotas import Quota
from tests.personalize_local.personalize.world import World, avro

CLIENTS = 16
SECONDS = float(os.environ.get("PERSONALIZE_THREADS_SECONDS", "1.5"))
NEXT = {
    "CREATE PENDING": {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"},
    "CREATE IN_PROGRESS": {"CREATE IN_PROGRESS", "ACTIVE"},
    "ACTIVE": {"ACTIVE", "DELETE PENDING", "DELETE IN_PROGRESS"},
    "DELETE PENDING": {"DELETE PENDING", "DELETE IN_PROGRESS"},
    "DELETE IN_PROGRESS": {"DELETE IN_PROGRESS"},
}


def _follow(world: World, arn: str, until: str) -> list[str]:
    seen: list[str] = []
    deadline = time.monotonic() + 60
    while until not in seen:
        assert time.monotonic() < deadline, (arn, until, seen[-1:])
        try:
            seen.append(world.status("dataset_group", arn))
        except world.personalize.exceptions.ResourceNotFoundException:
            seen.append("gone")
    return seen


def _live(world: World, client: int, end: float) -> tuple[list[str], list[list[str]]]:
    """Create, use and delete groups until `end`; return what is kept, and the status histories."""
    kept: list[str] = []
    histories: list[list[str]] = []
    number = 0
    while time.monotonic() < end:
        number += 1
        arn = world.personalize.create_dataset_group(name=f"g-{client}-{number}")["datasetGroupArn"]
        history = _follow(world, arn, "ACTIVE")
        schema = world.personalize.create_schema(name=f"s-{client}-{number}", schema=avro("Users"))["schemaArn"]
        if number % 3:
            world.personalize.delete_schema(schemaArn=schema)
            world.personalize.delete_dataset_group(datasetGroupArn=arn)
            history += _follow(world, arn, "gone")[:-1]
        else:
            kept += [arn, schema]
        histories.append(history)
    return kept, histories


def test_many_clients_at_once(world: World) -> None:
    table = world.service.quotas.table
    table["dataset_group"] = table["schema"] = Quota(10**6, "present", "region")
    CLOCK.set_speed(3600)
    end = time.monotonic() + SECONDS
    barrier = threading.Barrier(CLIENTS)

    def live(client: int) -> tuple[list[str], list[list[str]]]:
        barrier.wait()
        return _live(world, client, end)

    with ThreadPoolExecutor(CLIENTS) as threads:
        lives = list(threads.map(live, range(CLIENTS)))
    kept = {arn for arns, _ in lives for arn in arns}
    groups = world.personalize.get_paginator("list_dataset_groups").paginate().build_full_result()["datasetGroups"]
    schemas = world.personalize.get_paginator("list_schemas").paginate().build_full_result()["schemas"]
    assert {each["datasetGroupArn"] for each in groups} | {each["schemaArn"] for each in schemas} == kept
    histories = [history for _, histories in lives for history in histories]
    illegal = [(a, b) for history in histories for a, b in pairwise(history) if b not in NEXT[a]]
    assert illegal == []
    assert len(histories) >= CLIENTS
