"""import_uploads on the local cloud: real events, real handlers, a service that really imports."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.executions import all_executions
from emulator.cloud import Cloud, Run

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
        ],
        "version": "1.0",
    }
)


def csv(user: str, rows: int = 1000, header: str = "USER_ID,ITEM_ID,TIMESTAMP") -> bytes:
    lines = [f"{user},item{number},{1_700_000_000 + number}" for number in range(rows)]
    return "\n".join([header, *lines, ""]).encode()


class Group:
    """A dataset group of its own on the cloud, and what happens to the files dropped into it."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.name = name

    def create(self) -> None:
        """Create the group, the schema and the dataset, as import_data would."""
        requests: list[tuple[str, dict[str, Any]]] = [
            ("dataset_group", {"name": self.name}),
            ("schema", {"name": f"{self.name}-interactions", "schema": SCHEMA}),
        ]
        arns = {kind: self._ensure(kind, request) for kind, request in requests}
        request = {"name": "interactions", "datasetType": "INTERACTIONS"}
        parents = {"datasetGroupArn": arns["dataset_group"], "schemaArn": arns["schema"]}
        self._ensure("dataset", {**request, **parents})

    def _ensure(self, kind: str, request: dict[str, Any]) -> str:
        run = self.cloud.run("ensure_resource", {"type": kind, "request": request})
        assert run.status == "SUCCEEDED", run.cause
        return str(run.output["arn"])

    def drop(self, name: str, content: bytes) -> str:
        key = f"uploads/{self.name}/interactions/{name}"
        self.cloud.client("s3").put_object(Bucket=self.cloud.deployment.bucket, Key=key, Body=content)
        return key

    def runs(self) -> list[Run]:
        """Return the runs of import_uploads for this group, when nothing is under way any more."""
        self.cloud.quiesce()
        machine = self.cloud.deployment.state_machines["import_uploads"].rpartition(":")[2]
        arns = [execution.exec_arn for execution in all_executions()]
        runs = [self.cloud.wait(arn) for arn in arns if f":{machine}:{self.name}" in arn]
        return runs

    def import_jobs(self) -> list[dict[str, Any]]:
        pages = self.cloud.client("personalize").get_paginator("list_dataset_import_jobs").paginate()
        jobs = [job for page in pages for job in page["datasetImportJobs"] if job["jobName"].startswith(self.name)]
        return sorted(jobs, key=lambda job: str(job["creationDateTime"]))


@pytest.fixture
def group(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Group]:
    yield Group(cloud, request.node.name.replace("_", "-")[5:35])


def test_full_first_then_incremental_and_duplicates_do_nothing(group: Group) -> None:
    group.create()
    group.drop("monday.csv", csv("ann"))
    (first,) = group.runs()
    assert first.status == "SUCCEEDED", first.cause
    assert first.output["outcome"] == "IMPORTED"
    group.drop("tuesday.csv", csv("bob"))
    assert [run.status for run in group.runs()] == ["SUCCEEDED", "SUCCEEDED"]
    assert [(job["importMode"], job["status"]) for job in group.import_jobs()] == [
        ("FULL", "ACTIVE"),
        ("INCREMENTAL", "ACTIVE"),
    ]


def test_importing_one_file_takes_few_states(group: Group) -> None:
    group.create()
    group.drop("monday.csv", csv("ann"))
    (run,) = group.runs()
    assert run.states == (
        "Try", "Claim uploads", "Next step", "Inspect uploads", "Stage uploads", "Next step", "Ensure import job",
        "Settle uploads", "Next step", "Decide retrain",
    )  # fmt: skip


def test_a_file_without_a_column_ends_red_and_names_file_column_and_line(group: Group, tmp_path: Path) -> None:
    assert tmp_path
    group.create()
    group.drop("good.csv", csv("ann"))
    key = group.drop("bad.csv", csv("bob", header="USER_ID,ITEM,TIMESTAMP"))
    red = [run for run in group.runs() if run.status == "FAILED"]
    assert [run.error for run in red] == ["UploadRejected"]
    for told in (key, "ITEM_ID", "line 1"):
        assert told in str(red[0].cause)
    assert [job["status"] for job in group.import_jobs()] == ["ACTIVE"]


def test_no_handler_ended_in_an_error(cloud: Cloud) -> None:
    assert cloud.lambda_errors == []
