"""The served app with `--state`: its ledger, its bucket and what it started are there again."""

from pathlib import Path
from typing import Any

from personalize_local.cloud import Cloud
from personalize_local.state.directory import taken


def ledger(cloud: Cloud) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = cloud.client("dynamodb").scan(TableName=cloud.deployment.tables["ledger"])["Items"]
    return sorted(items, key=lambda item: str(item["entry"]["S"]))


def test_a_file_that_was_recorded_is_known_to_the_next_cloud(assembly: Path, tmp_path: Path) -> None:
    with taken(tmp_path / "state") as state, Cloud(speed=3600, state=state) as cloud:
        cloud.deploy(assembly)
        bucket = cloud.deployment.bucket
        put = cloud.client("s3").put_object(Bucket=bucket, Key="uploads/movies/items/a.csv", Body=b"ITEM_ID\n1\n")
        cloud.quiesce()
        remembered = ledger(cloud)
    assert remembered
    with taken(tmp_path / "state") as state, Cloud(speed=3600, state=state) as cloud:
        cloud.deploy(assembly)
        assert cloud.deployment.bucket == bucket
        found = cloud.client("s3").get_object(Bucket=bucket, Key="uploads/movies/items/a.csv")
        assert (found["Body"].read(), found["VersionId"]) == (b"ITEM_ID\n1\n", put["VersionId"])
        assert [item["entry"] for item in ledger(cloud)] == [item["entry"] for item in remembered]
