"""Who gets the region's import slots, at a speed at which a minute's wait is longer than a handler's start."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personalize_local.cloud import Cloud
from tests.statemachines.uploads_group import Group, csv


@pytest.fixture
def cloud(assembly: Path) -> Iterator[Cloud]:
    """Return a cloud in a region with a single import slot."""
    with Cloud(speed=120, schedules=False) as running:
        running.deploy(assembly)
        running.personalize.quotas.set_limit("dataset_import_job", 1)
        running.personalize.durations.set_seconds("create dataset_import_job", 100.0)
        yield running


def jobs(cloud: Cloud) -> list[dict[str, Any]]:
    found = cloud.client("personalize").list_dataset_import_jobs()["datasetImportJobs"]
    return sorted(found, key=lambda job: job["creationDateTime"])


def until(count: int, cloud: Cloud) -> None:
    deadline = time.monotonic() + 60
    while len(jobs(cloud)) < count:
        assert time.monotonic() < deadline, [job["jobName"] for job in jobs(cloud)]
        time.sleep(0.1)


def test_a_dataset_that_always_has_more_to_import_leaves_the_slot_to_others(cloud: Cloud) -> None:
    greedy, patient = Group(cloud, "greedy"), Group(cloud, "patient")
    greedy.create()
    patient.create()
    greedy.drop("0.csv", csv("ann"))
    greedy.runs()  # from now on it knows how long an import takes, and notices its end within seconds
    greedy.drop("1.csv", csv("bob"))
    until(2, cloud)
    greedy.drop("2.csv", csv("dan"))  # while the one before is being imported
    patient.drop("only.csv", csv("cleo"))
    until(4, cloud)
    owners = [job["jobName"].split("-")[1] for job in jobs(cloud)]
    assert owners == ["greedy", "greedy", "patient", "greedy"]
    assert {run.status for group in (greedy, patient) for run in group.runs()} == {"SUCCEEDED"}
