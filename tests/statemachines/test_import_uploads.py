"""import_uploads on the local cloud: real events, real handlers, a service that really imports."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.program import main
from personalize_local.cloud import Cloud
from tests.statemachines.uploads_group import Group, csv


@pytest.fixture(scope="module")
def cloud(assembly: Path) -> Iterator[Cloud]:
    """Return a cloud that sweeps only when it is told to."""
    with Cloud(speed=3600, schedules=False) as running:
        running.deploy(assembly)
        running.personalize.quotas.set_limit("dataset_group", 50)  # the five an account begins with can be raised
        yield running


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.personalize.faults.clear()


@pytest.fixture
def group(cloud: Cloud, request: pytest.FixtureRequest) -> Group:
    return Group(cloud, request.node.name.replace("_", "-").removeprefix("test-")[:40])


def test_full_first_then_incremental(group: Group) -> None:
    group.create()
    group.drop("monday.csv", csv("ann"))
    (first,) = group.runs()
    assert first.status == "SUCCEEDED", first.cause
    assert (first.output["outcome"], first.output["rows"]) == ("IMPORTED", 1000)
    group.drop("tuesday.csv", csv("bob"))
    assert [run.status for run in group.runs()] == ["SUCCEEDED", "SUCCEEDED"]
    jobs = [(job["importMode"], job["status"]) for job in group.jobs()]
    assert jobs == [("FULL", "ACTIVE"), ("INCREMENTAL", "ACTIVE")]
    assert len(group.exported()) == 2000


def test_importing_one_file_takes_few_states(group: Group) -> None:
    group.create()
    group.drop("monday.csv", csv("ann"))
    (run,) = group.runs()
    assert run.states == (
        "Claim uploads", "Next step", "Inspect uploads", "Stage uploads", "Next step", "Ensure import job",
        "Settle uploads", "Decide retrain", "Next step", "Done",
    )  # fmt: skip


def test_what_comes_during_an_import_goes_next_in_one_job(group: Group, cloud: Cloud) -> None:
    group.create()
    cloud.personalize.faults.slow("dataset_import_job", 150)  # ten hours, ten seconds here
    group.drop("monday.csv", csv("ann"))
    while not group.jobs():
        time.sleep(0.02)
    for number in range(5):
        group.drop(f"during-{number}.csv", csv(f"user{number}"))
    cloud.personalize.faults.clear()
    assert [run.status for run in group.runs()] == ["SUCCEEDED"]
    assert [job["importMode"] for job in group.jobs()] == ["FULL", "INCREMENTAL"]
    assert len(group.exported()) == 6000


def test_an_event_that_is_delivered_twice_does_nothing_more(group: Group, cloud: Cloud) -> None:
    group.create()
    group.drop("monday.csv", csv("ann"))
    group.runs()
    body = cloud.client("s3").list_object_versions(
        Bucket=cloud.deployment.bucket, Prefix=f"uploads/{group.dataset_key}"
    )
    version = body["Versions"][0]
    found = {"key": version["Key"], "size": 1, "version-id": version["VersionId"], "sequencer": "00"}
    detail = {"bucket": {"name": cloud.deployment.bucket}, "object": found}
    event = json.dumps({"time": "2026-11-20T12:00:00Z", "detail": detail})
    queue = next(url for name, url in cloud.deployment.queues.items() if "dead" not in name)
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=event)
    group.runs()
    assert len(group.jobs()) == 1
    assert group.states() == {"monday.csv": ["IMPORTED"]}


def test_a_file_without_a_column_ends_red_and_names_file_column_and_line(group: Group) -> None:
    group.create()
    group.drop("good.csv", csv("ann"))
    key = group.drop("bad.csv", csv("bob", header="USER_ID,ITEM,TIMESTAMP"))
    red = [run for run in group.runs() if run.status == "FAILED"]
    assert [run.error for run in red] == ["UploadRejected"]
    for told in (key, "ITEM_ID", "line 1"):
        assert told in str(red[0].cause)
    assert [job["status"] for job in group.jobs()] == ["ACTIVE"]
    assert group.states() == {"good.csv": ["IMPORTED"], "bad.csv": ["REJECTED"]}


def test_a_group_that_does_not_exist_yet_lets_its_files_wait(group: Group, cloud: Cloud) -> None:
    group.drop("monday.csv", csv("ann"))
    waiting = group.runs()
    assert {run.status for run in waiting} == {"SUCCEEDED"}
    assert "does not exist yet" in waiting[0].output["message"]
    group.create()
    run = cloud.wait(group.start())
    group.runs()
    assert run.status == "SUCCEEDED"
    assert group.states() == {"monday.csv": ["IMPORTED"]}


def test_a_failed_import_job_ends_red_in_the_services_words_and_is_tried_again(group: Group, cloud: Cloud) -> None:
    group.create()
    cloud.personalize.faults.fail("dataset_import_job", "Insufficient privileges for accessing data in Amazon S3.")
    group.drop("monday.csv", csv("ann"))
    red = next(run for run in group.runs() if run.status == "FAILED")
    assert (red.error, red.cause) == (
        "ResourceFailed",
        "Insufficient privileges for accessing data in Amazon S3.",
    )
    group.sweep()
    group.runs()
    assert group.states() == {"monday.csv": ["IMPORTED"]}
    assert [job["status"] for job in group.jobs()] == ["CREATE FAILED", "ACTIVE"]


def test_keys_with_blanks_signs_and_umlauts_and_folder_markers(group: Group) -> None:
    group.create()
    names = ("a b.csv", "a+b.csv", "ünï/日本.csv", "100%.csv", "a&b=c.csv")
    for number, name in enumerate(names):
        group.drop(name, csv(f"user{number}"))
    group.drop("folder/", b"")
    group.drop("zero.csv", b"")
    red = [run.cause for run in group.runs() if run.status == "FAILED"]
    assert len(red) == 1
    assert "zero.csv" in str(red[0])
    assert len(group.exported()) == 5000


def test_seven_groups_wait_for_import_slots_without_an_error(cloud: Cloud) -> None:
    groups = [Group(cloud, f"crowd-{number}") for number in range(7)]
    for group in groups:
        group.create()
    for group in groups:
        group.drop("monday.csv", csv("ann"))
    for group in groups:
        assert {run.status for run in group.runs()} == {"SUCCEEDED"}
        assert group.states() == {"monday.csv": ["IMPORTED"]}


def test_the_command_line_tells_what_happened_to_a_file(
    group: Group, cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    group.create()
    bad = group.drop("bad.csv", csv("bob", header="USER_ID,ITEM,TIMESTAMP"))
    good = group.drop("good.csv", csv("ann"))
    group.runs()
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["files", good]) == 0
    told = capsys.readouterr().out
    assert told.startswith("IMPORTED: version ")
    assert f"import job: {group.jobs()[0]['datasetImportJobArn']}" in told
    assert main(["files", bad]) == 0
    assert "reason: line 1, column ITEM_ID" in capsys.readouterr().out
    assert main(["files", f"{good}x"]) == 1


def test_bad_rows_are_left_out_when_the_request_says_so(group: Group, cloud: Cloud) -> None:
    group.create()
    group.ask(uploads={"badRows": "DROP"})
    group.drop("monday.csv", csv("ann") + b"bob,item1,yesterday\n")
    (run,) = group.runs()
    assert run.status == "SUCCEEDED"
    assert len(group.exported()) == 1000
    key = f"rejected/{group.dataset_key}/monday.csv.report.txt"
    report = cloud.client("s3").get_object(Bucket=cloud.deployment.bucket, Key=key)["Body"].read().decode()
    assert "line 1002, column TIMESTAMP, value 'yesterday'" in report


def test_no_handler_ended_in_an_error(cloud: Cloud) -> None:
    assert cloud.lambda_errors == []


def test_enough_rows_start_the_pipeline_and_say_why(group: Group) -> None:
    group.create()
    group.ask(retrain={"rowsSince": 1500})
    group.drop("monday.csv", csv("ann"))
    (few,) = group.runs()
    assert few.output["retrain"] == {
        "start": False,
        "reason": "1000 rows since the last training, the policy asks for 1500",
    }
    assert group.executions("pipeline") == []
    group.drop("tuesday.csv", csv("bob"))
    decisions = [run.output["retrain"] for run in group.runs()]  # an execution may follow that finds nothing to do
    assert {"start": True, "reason": "2000 rows imported and no training yet"} in decisions
    assert len(group.executions("pipeline")) == 1


def test_the_input_of_a_batch_job_is_checked_before_it_costs_one(group: Group, cloud: Cloud) -> None:
    group.ask()
    key = f"uploads/{group.name}/batch/weekly/users.json"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=b'{"userId": "1"}\n{"userId": 2}\n')
    group.runs()
    (execution,) = group.executions("run_batch_inference")
    assert (execution.exec_status, execution.error) == ("FAILED", "UploadRejected")
    assert f"{key}: line 2" in str(execution.cause)
