"""Schedules of a request, from the request in the bucket to what they start, in simulated time."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from personalize_local.cloud import Cloud
from tests.conftest import SPEED

COLUMNS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}
HOURS = 3  # six seconds here: a machine that others use too must get through a run before the next
OFTEN = {"name": "often", "scheduleExpression": f"rate({HOURS} hours)", "action": "IMPORT"}


@pytest.fixture(scope="module")
def scheduled(assembly: Path) -> Iterator[Cloud]:
    with Cloud(speed=SPEED) as running:
        running.deploy(assembly)
        yield running


def request(group: str, *schedules: dict[str, Any]) -> dict[str, Any]:
    return {"datasetGroup": group, "datasets": {"interactions": {"columns": COLUMNS}}, "schedules": list(schedules)}


def keep(cloud: Cloud, document: dict[str, Any]) -> None:
    key = f"requests/{document['datasetGroup']}.json"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=json.dumps(document).encode())


def until(holds: Callable[[], Any], timeout_seconds: float = 60) -> Any:
    deadline = time.monotonic() + timeout_seconds
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def started(cloud: Cloud, machine: str, group: str, status: str) -> list[dict[str, Any]]:
    """Return the executions that a schedule of the group started and that ended so."""
    states, arn = cloud.client("stepfunctions"), cloud.deployment.state_machines[machine]
    listed = states.list_executions(stateMachineArn=arn, statusFilter=status)["executions"]
    found = [states.describe_execution(executionArn=one["executionArn"]) for one in listed]
    inputs = [(one, json.loads(one["input"])) for one in found]
    return [one for one, given in inputs if given.get("datasetGroup") == group and "schedule" in given]


def names(cloud: Cloud, group: str) -> list[str]:
    listed = cloud.client("scheduler").list_schedules(GroupName="personalize-dev-schedules")["Schedules"]
    return [one["Name"].rpartition(".")[2] for one in listed if one["Name"].startswith(f"{group}.")]


def run(cloud: Cloud, group: str) -> Any:
    ended = cloud.run("import_data", {"datasetGroup": group})
    assert ended.status == "SUCCEEDED", ended.cause
    return ended.output["schedules"]


def test_a_schedule_starts_its_machine_until_it_is_taken_out_of_the_request(scheduled: Cloud) -> None:
    keep(scheduled, request("timed", OFTEN))
    until(lambda: started(scheduled, "import_data", "timed", "SUCCEEDED"))
    assert len(run(scheduled, "timed")["unchanged"]) == 1
    keep(scheduled, request("timed"))
    until(lambda: not names(scheduled, "timed"))
    scheduled.quiesce()
    before = len(started(scheduled, "import_data", "timed", "SUCCEEDED"))
    time.sleep(1.5 * HOURS * 3600 / SPEED)
    assert len(started(scheduled, "import_data", "timed", "SUCCEEDED")) == before


def test_a_schedule_of_a_deleted_group_ends_red_and_makes_nothing(scheduled: Cloud) -> None:
    keep(scheduled, request("lost", OFTEN))
    until(lambda: names(scheduled, "lost"))
    arn = "arn:aws:personalize:us-east-1:123456789012:dataset-group/dev-lost"
    dataset = {"type": "dataset", "request": {"datasetGroupArn": arn, "datasetType": "INTERACTIONS"}}
    group = {"type": "dataset_group", "request": {"name": "dev-lost"}}
    # Again where a run that the schedule started made the dataset anew in between.
    until(lambda: all(scheduled.run("remove_resource", one).status == "SUCCEEDED" for one in (dataset, group)))
    # One that fired while the group went says that; those after it find no group.
    said = "there is no dataset group arn:aws:personalize"
    until(lambda: [one for one in started(scheduled, "import_data", "lost", "FAILED") if said in one["cause"]])
    groups = scheduled.client("personalize").list_dataset_groups()["datasetGroups"]
    assert "dev-lost" not in [one["name"] for one in groups]


def test_a_request_that_is_not_in_the_bucket_has_no_schedules(scheduled: Cloud) -> None:
    refused = scheduled.run("pipeline", {"request": request("inline", OFTEN)})
    assert refused.status == "FAILED"
    assert "reads requests/inline.json, which the bucket does not have" in str(refused.cause)
    assert names(scheduled, "inline") == []
