"""State that outlives a cloud: `serve --state DIR`, or `Cloud(state=DIR)`."""

from pathlib import Path
from typing import Any

from emulator.cloud import Cloud


def run(assembly: Path, state: Path) -> Cloud:
    cloud = Cloud(speed=3600, state=state)
    cloud.__enter__()
    cloud.deploy(assembly)
    return cloud


def ledger(cloud: Cloud) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = cloud.client("dynamodb").scan(TableName=cloud.deployment.tables["ledger"])["Items"]
    return sorted(items, key=lambda item: str(item["entry"]["S"]))


def test_resources_objects_and_items_are_found_again(assembly: Path, tmp_path: Path) -> None:
    first = run(assembly, tmp_path)
    try:
        bucket = first.deployment.bucket
        group = first.client("personalize").create_dataset_group(name="movies")["datasetGroupArn"]
        s3 = first.client("s3")
        version = s3.put_object(Bucket=bucket, Key="uploads/movies/items/a.csv", Body=b"ITEM_ID\n1\n")["VersionId"]
        first.quiesce()
        remembered = ledger(first)
    finally:
        first.stop()
    assert remembered

    second = run(assembly, tmp_path)
    try:
        assert second.deployment.bucket == bucket
        found = second.client("personalize").describe_dataset_group(datasetGroupArn=group)["datasetGroup"]
        assert found["name"] == "movies"
        kept = second.client("s3").get_object(Bucket=bucket, Key="uploads/movies/items/a.csv")
        assert (kept["Body"].read(), kept["VersionId"]) == (b"ITEM_ID\n1\n", version)
        assert [item["entry"] for item in ledger(second)] == [item["entry"] for item in remembered]
    finally:
        second.stop()
