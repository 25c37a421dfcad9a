"""What `import_data` says of the data that a run goes on without, and where a request would rather have it fail."""

from typing import Any

import pytest

from personalize_local.cloud import Cloud
from tests.statemachines.uploads_group import csv

COLUMNS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}


def request(group: str, **wishes: Any) -> dict[str, Any]:
    users = {"columns": {"USER_ID": "string", "AGE": "int"}}
    return {"datasetGroup": group, "datasets": {"interactions": {"columns": COLUMNS}, "users": users}, **wishes}


@pytest.fixture(scope="module")
def warned(cloud: Cloud) -> Any:
    key = "uploads/warned/interactions/monday.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=csv("ann"))
    cloud.quiesce()
    return cloud.run("import_data", request("warned"))


def test_a_dataset_that_holds_nothing_is_told(warned: Any) -> None:
    assert warned.status == "SUCCEEDED", warned.cause
    assert warned.output["warnings"] == ["users: no file of it was ever imported"]


def test_files_that_wait_are_told(warned: Any, cloud: Cloud) -> None:
    assert warned.status == "SUCCEEDED"
    few = "uploads/warned/interactions/few.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=few, Body=csv("ben", rows=10))
    cloud.quiesce()
    again = cloud.run("import_data", request("warned"))
    (warning,) = [one for one in again.output["warnings"] if few in one]
    assert warning.startswith(f"interactions: 1 file(s) wait, the first is {few}: 10 rows of interactions wait since")
    assert warning.endswith("990 are missing")


def test_files_that_were_rejected_are_told(warned: Any, cloud: Cloud) -> None:
    assert warned.status == "SUCCEEDED"
    for key in ("uploads/warned/interactions/bad.csv", "uploads/warned/misplaced.csv"):
        cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=b"WRONG\n1\n")
    cloud.quiesce()
    again = cloud.run("import_data", request("warned"))
    (warning,) = [one for one in again.output["warnings"] if "rejected" in one]
    assert "interactions: 1 file(s) were rejected and not replaced since, the first is uploads/warned/inter" in warning
    report = cloud.client("s3").get_object(
        Bucket=cloud.deployment.bucket, Key="rejected/warned/misplaced.csv.report.txt"
    )
    assert b"an upload is put below uploads/" in report["Body"].read()


def test_a_request_may_rather_fail_than_train_without(warned: Any, cloud: Cloud) -> None:
    assert warned.status == "SUCCEEDED"
    red = cloud.run("import_data", request("warned", onMissingData="FAIL"))
    assert (red.status, red.error) == ("FAILED", "NoDataError")
    assert red.cause == "users: no file of it was ever imported"
