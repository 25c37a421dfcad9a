"""Restore after loss, as docs/runbook.md tells it: the stacks go, the data stay, and a new deployment adopts them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

os.environ.setdefault("CDK_VALIDATION", "false")

from config.settings import load
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from personalize_local.deploy import DeployedApp
from stacks.application import build, new_app
from tests.e2e.resource_zoo import interactions

STAGE = "personalize-prod"
REQUEST = {
    "datasetGroup": {"name": "movies"},
    "datasets": {
        "interactions": {
            "columns": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}
        }
    },
}


def synthesised(directory: Path, **settings: Any) -> Path:
    app = new_app(directory)
    build(app, load("prod").model_copy(update=settings))
    app.synth()
    return directory


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Return a cloud on which a stage imported a file and was lost, but for what it retains."""
    directory = tmp_path_factory.mktemp("first")
    with Cloud(speed=1800, schedules=False) as cloud:
        app = cloud.deploy(synthesised(directory, kms_key="create"))
        assert app.outputs["KmsKeyArn"]
        put(cloud, "requests/movies.json", json.dumps(REQUEST).encode())
        put(cloud, "uploads/movies/interactions/one.csv", interactions().encode())
        cloud.quiesce(120)
        assert len(imports(cloud)) == 1
        delete_stacks(cloud)
        yield cloud


def delete_stacks(cloud: Cloud) -> None:
    cloudformation = cloud.client("cloudformation")
    for name in ("monitoring", "workflow", "data"):
        cloudformation.delete_stack(StackName=f"{STAGE}-{name}")


def put(cloud: Cloud, key: str, body: bytes) -> None:
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)


def imports(cloud: Cloud) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = cloud.client("personalize").list_dataset_import_jobs()["datasetImportJobs"]
    return jobs


def sweep(cloud: Cloud) -> None:
    event = json.dumps({"time": CLOCK.now().isoformat()})
    answer = cloud.client("lambda").invoke(FunctionName=f"{STAGE}-sweep-uploads", Payload=event.encode())
    assert "FunctionError" not in answer, answer["Payload"].read()
    cloud.quiesce(120)


def adopt(cloud: Cloud, directory: Path, first: DeployedApp, **instead: Any) -> None:
    """Deploy again, with everything that the first deployment left, or something in its place."""
    left = {
        "bucket_name": first.bucket,
        "table_name": first.tables["ledger"],
        "role_arn": first.personalize_role_arn,
        "kms_key": first.outputs["KmsKeyArn"],
    }
    cloud.deploy(synthesised(directory, **{**left, **instead}))


def test_a_stage_that_adopts_what_stayed_goes_on_where_it_was(lost: Cloud, tmp_path: Path) -> None:
    first = lost.deployment
    adopt(lost, tmp_path, first)
    assert (lost.deployment.bucket, lost.deployment.tables) == (first.bucket, first.tables)
    sweep(lost)
    assert len(imports(lost)) == 1
    put(lost, "uploads/movies/interactions/two.csv", interactions().encode())
    lost.quiesce(120)
    assert len(imports(lost)) == 2
    delete_stacks(lost)


def test_a_ledger_restored_from_a_point_in_time_is_adopted_under_its_new_name(lost: Cloud, tmp_path: Path) -> None:
    first, before = lost.deployment, len(imports(lost))
    dynamodb = lost.client("dynamodb")
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=first.tables["ledger"], TargetTableName="restored", UseLatestRestorableTime=True
    )
    adopt(lost, tmp_path, first, table_name="restored")
    sweep(lost)
    assert lost.deployment.tables == {"ledger": "restored"}
    assert len(imports(lost)) == before
    delete_stacks(lost)


def test_without_any_ledger_what_was_moved_aside_is_not_imported_again(lost: Cloud, tmp_path: Path) -> None:
    """What is left below uploads/ would be: nothing else says that it is in the dataset already."""
    first, before = lost.deployment, len(imports(lost))
    lose_the_ledger(lost)
    s3, bucket = lost.client("s3"), first.bucket
    for name in ("one", "two"):
        key = f"uploads/movies/interactions/{name}.csv"
        s3.copy_object(Bucket=bucket, Key=f"archive/{key}", CopySource={"Bucket": bucket, "Key": key})
        s3.delete_object(Bucket=bucket, Key=key)
    adopt(lost, tmp_path, first, table_name=None)
    sweep(lost)
    assert len(imports(lost)) == before
    put(lost, "uploads/movies/interactions/three.csv", interactions().encode())
    lost.quiesce(120)
    sweep(lost)
    newest = max(imports(lost), key=lambda job: job["creationDateTime"])
    assert len(imports(lost)) == before + 1
    assert newest["importMode"] == "INCREMENTAL"


def lose_the_ledger(cloud: Cloud) -> None:
    dynamodb = cloud.client("dynamodb")
    (made,) = set(dynamodb.list_tables()["TableNames"]) - {"restored"}
    with pytest.raises(ClientError, match="DeletionProtectionEnabled"):
        dynamodb.delete_table(TableName=made)
    dynamodb.update_table(TableName=made, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=made)
