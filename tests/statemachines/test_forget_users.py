"""Users of a list go from the datasets once per list, and where it is asked for from every file that names them."""

import json
import time
from typing import Any

import pytest

from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud, Run
from tests.statemachines.test_import_data import COLUMNS, PREFIX
from tests.statemachines.uploads_group import csv

LIST = b"USER_ID\nann\nbob\n"


def put(cloud: Cloud, key: str, body: bytes) -> None:
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)
    cloud.quiesce()


def contents(cloud: Cloud, group: str) -> dict[str, list[bytes]]:
    """Return every version of every object of a group, by its key."""
    s3, bucket = cloud.client("s3"), cloud.deployment.bucket
    found: dict[str, list[bytes]] = {}
    for one in s3.list_object_versions(Bucket=bucket).get("Versions", ()):
        if f"/{group}/" in one["Key"]:
            body = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            found.setdefault(one["Key"], []).append(body)
    return found


def jobs(cloud: Cloud, group: str) -> list[dict[str, Any]]:
    listed = cloud.client("personalize").list_data_deletion_jobs(datasetGroupArn=f"{PREFIX}:dataset-group/dev-{group}")
    return list(listed["dataDeletionJobs"])


def imports(cloud: Cloud, group: str) -> int:
    arn = f"{PREFIX}:dataset/dev-{group}/INTERACTIONS"
    return len(cloud.client("personalize").list_dataset_import_jobs(datasetArn=arn)["datasetImportJobs"])


def executions(cloud: Cloud) -> list[dict[str, Any]]:
    states, arn = cloud.client("stepfunctions"), cloud.deployment.state_machines["forget_users"]
    listed = states.list_executions(stateMachineArn=arn)["executions"]
    return [states.describe_execution(executionArn=one["executionArn"]) for one in listed]


def forget(cloud: Cloud, group: str, key: str, **more: Any) -> Run:
    users = f"s3://{cloud.deployment.bucket}/{key}"
    return cloud.run("forget_users", {"datasetGroup": group, "users": users, **more})


def build(cloud: Cloud, group: str) -> None:
    """Make a group with a thousand rows of each of three users in one file."""
    rows = b"".join(csv(user).partition(b"\n")[2] for user in ("ann", "bob", "eve"))
    request = {"datasetGroup": group, "datasets": {"interactions": {"columns": COLUMNS}}}
    put(cloud, f"uploads/{group}/interactions/monday.csv", b"USER_ID,ITEM_ID,TIMESTAMP\n" + rows)
    put(cloud, f"requests/{group}.json", json.dumps(request).encode())
    assert imports(cloud, group) == 1


def test_a_list_in_the_watched_folder_is_one_job_however_often_it_is_announced(cloud: Cloud) -> None:
    build(cloud, "watched")
    put(cloud, "uploads/watched/deletions/may.csv", LIST)
    (ended,) = executions(cloud)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"])["deleted"] == 2000
    (job,) = jobs(cloud, "watched")
    assert job["status"] == "COMPLETED"
    again = forget(cloud, "watched", "uploads/watched/deletions/may.csv")
    assert (again.status, len(jobs(cloud, "watched"))) == ("SUCCEEDED", 1)
    put(cloud, "uploads/watched/deletions/may.csv", b"USER_ID\neve\n")
    assert [one["status"] for one in jobs(cloud, "watched")] == ["COMPLETED"] * 2
    assert "ann" in str(contents(cloud, "watched")["uploads/watched/interactions/monday.csv"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"USER\nann\n", "USER_ID"),
        (b"USER_ID,AGE\nann,3\n", "the one column USER_ID and no other"),
        (b"USER_ID\n", "no rows"),
        (b"USER_ID\nann\n\nbob\n", "line 3"),
        ("USER_ID\njörg\n".encode("latin-1"), "UTF-8"),
        (b"", "empty"),
    ],
)
def test_a_list_that_is_none_is_rejected_with_a_report(cloud: Cloud, body: bytes, said: str) -> None:
    key = "uploads/rejecting/deletions/bad.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)
    cloud.quiesce()
    ended = forget(cloud, "rejecting", key)
    assert (ended.status, ended.error) == ("FAILED", "UploadRejected")
    assert said in str(ended.cause)
    assert "report: rejected/rejecting/deletions/bad.csv.report.txt" in str(ended.cause)
    assert contents(cloud, "rejecting")["rejected/rejecting/deletions/bad.csv.report.txt"]


def test_users_are_found_nowhere_and_what_is_left_is_not_imported_again(cloud: Cloud) -> None:
    build(cloud, "nowhere")
    put(cloud, "uploads/nowhere/interactions/bad.csv", csv("ann", 3, "USER_ID,ITEM_ID,TIME"))
    put(cloud, "uploads/nowhere/interactions/few.csv", csv("bob", 2) + csv("eve", 2).partition(b"\n")[2])
    results = {"one.json.out": '{"input":{"userId":"ann"},"output":{}}', "two.json.out": '{"input":{"userId":"ann2"}}'}
    for name, text in results.items():
        put(cloud, f"results/nowhere/weekly/{name}", text.encode())
    put(cloud, "rejected/nowhere/interactions/x.csv.report.txt", b"line 2, column USER_ID, value 'bob': too odd\n")
    put(cloud, "staging/nowhere/forget/users.csv", LIST)
    before = imports(cloud, "nowhere")
    ended = forget(cloud, "nowhere", "staging/nowhere/forget/users.csv", everywhere=True)
    assert ended.status == "SUCCEEDED", ended.cause
    cloud.quiesce()
    assert ended.output["deleted"] == 2000
    left = contents(cloud, "nowhere")
    assert not [key for key, bodies in left.items() if any(b"bob" in body or b"ann," in body for body in bodies)]
    assert set(left) >= {"results/nowhere/weekly/two.json.out", "uploads/nowhere/interactions/monday.csv"}
    assert "results/nowhere/weekly/one.json.out" not in left
    (monday,) = left["uploads/nowhere/interactions/monday.csv"]
    assert monday.count(b"\n") == 1001
    assert imports(cloud, "nowhere") == before
    # What waited waits on without them, and what comes later is imported.
    put(cloud, "uploads/nowhere/interactions/more.csv", csv("new"))
    arn = f"{PREFIX}:dataset/nowhere/INTERACTIONS"
    assert imports(cloud, "nowhere") > before, arn


def test_what_comes_while_users_are_forgotten_is_imported_afterwards(cloud: Cloud) -> None:
    build(cloud, "held")
    put(cloud, "staging/held/forget/users.csv", LIST)
    users = f"s3://{cloud.deployment.bucket}/staging/held/forget/users.csv"
    arn = cloud.start("forget_users", {"datasetGroup": "held", "users": users, "everywhere": True})
    key = "uploads/held/interactions/later.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=csv("zoe"))
    ended = cloud.wait(arn)
    assert ended.status == "SUCCEEDED", ended.cause
    cloud.quiesce()
    assert imports(cloud, "held") == 2


def holder(cloud: Cloud, dataset_key: str) -> str:
    found = cloud.client("dynamodb").get_item(
        TableName=cloud.deployment.tables["ledger"], Key={"dataset": {"S": dataset_key}, "entry": {"S": "lease"}}
    )
    return str(found.get("Item", {}).get("holder", {}).get("S", ""))


def test_a_crash_in_the_middle_holds_nothing_up_and_is_made_up_for(cloud: Cloud) -> None:
    build(cloud, "crashed")
    put(cloud, "staging/crashed/forget/users.csv", LIST)
    users = f"s3://{cloud.deployment.bucket}/staging/crashed/forget/users.csv"
    given = {"datasetGroup": "crashed", "users": users, "everywhere": True}
    arn = cloud.start("forget_users", given)
    deadline = time.monotonic() + 60
    while holder(cloud, "crashed/interactions") != arn:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    cloud.client("stepfunctions").stop_execution(executionArn=arn)
    assert cloud.wait(arn).status == "ABORTED"
    put(cloud, "uploads/crashed/interactions/later.csv", csv("zoe"))
    cloud.client("lambda").invoke(
        FunctionName="personalize-dev-sweep-uploads", Payload=json.dumps({"time": CLOCK.now().isoformat()}).encode()
    )
    cloud.quiesce()
    assert imports(cloud, "crashed") == 2, "the sweep sees that the holder is dead"
    again = cloud.run("forget_users", given)
    assert again.status == "SUCCEEDED", again.cause
    assert len(jobs(cloud, "crashed")) == 1
    cloud.quiesce()
    left = contents(cloud, "crashed")
    assert not [key for key, bodies in left.items() if any(b"ann," in body for body in bodies)]
