"""What `import_data` says of the data that a run goes on without, and where a request would rather have it fail."""

import json
from typing import Any

import pytest

from personalize_local.cloud import Cloud
from tests.statemachines.uploads_group import csv

PREFIX = "arn:aws:personalize:us-east-1:123456789012"
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


def test_what_the_request_says_of_imports_and_tags_reaches_the_service(cloud: Cloud) -> None:
    group, job = ([{"tagKey": "team", "tagValue": value}] for value in ("films", "imports"))
    document = request("tagged", eventTracker={"name": "tagged"})
    document["datasetGroup"] = {"name": "tagged", "tags": group}
    document["datasets"]["interactions"]["importJob"] = {"tags": job}
    s3, bucket = cloud.client("s3"), cloud.deployment.bucket
    s3.put_object(Bucket=bucket, Key="requests/tagged.json", Body=json.dumps(document).encode())
    cloud.quiesce()
    s3.put_object(Bucket=bucket, Key="uploads/tagged/interactions/monday.csv", Body=csv("ann"))
    cloud.quiesce()
    personalize = cloud.client("personalize")
    datasets = personalize.list_datasets(datasetGroupArn=f"{PREFIX}:dataset-group/dev-tagged")["datasets"]
    (done,) = personalize.list_dataset_import_jobs(datasetArn=f"{PREFIX}:dataset/dev-tagged/INTERACTIONS")[
        "datasetImportJobs"
    ]
    (tracker,) = personalize.list_event_trackers(datasetGroupArn=f"{PREFIX}:dataset-group/dev-tagged")["eventTrackers"]
    arns = [*(one["datasetArn"] for one in datasets), tracker["eventTrackerArn"], done["datasetImportJobArn"]]
    tags = [personalize.list_tags_for_resource(resourceArn=arn)["tags"] for arn in arns]
    owner = {"tagKey": "made-by", "tagValue": "personalize-dev"}
    assert tags == [[*asked, owner] for asked in (group, group, group, job)]
