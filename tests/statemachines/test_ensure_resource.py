"""The wait loop, run on the local cloud against the emulated service."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from personalize_local.cloud import Cloud, Run

LOOK = ["Find", "Decide"]


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    cloud.personalize.quotas.set_limit("dataset_group", 50)
    yield
    cloud.personalize.faults.clear()


def ensure(cloud: Cloud, noun: str, **request: Any) -> Run:
    return cloud.run("ensure_resource", {"type": noun, "request": request})


def group_arn(cloud: Cloud, name: str) -> str:
    return str(ensure(cloud, "dataset_group", name=name).output["arn"])


def test_creates_then_waits_until_active(cloud: Cloud) -> None:
    run = ensure(cloud, "dataset_group", name="dev-created")
    assert run.status == "SUCCEEDED"
    assert run.output["status"] == "ACTIVE"
    assert run.output["arn"].endswith(":dataset-group/dev-created")
    assert list(run.states[:4]) == [*LOOK, "Create", "Wait"]
    assert list(run.states[-3:]) == [*LOOK, "Ready"]


def test_what_is_there_is_only_looked_at(cloud: Cloud) -> None:
    ensure(cloud, "dataset_group", name="dev-created")
    assert list(ensure(cloud, "dataset_group", name="dev-created").states) == [*LOOK, "Ready"]


def test_two_loops_for_one_resource_make_one(cloud: Cloud) -> None:
    wish = {"type": "dataset_group", "request": {"name": "dev-raced"}}
    arns = [cloud.start("ensure_resource", wish) for _ in range(4)]
    runs = [cloud.wait(arn) for arn in arns]
    assert {run.status for run in runs} == {"SUCCEEDED"}
    assert len({run.output["arn"] for run in runs}) == 1


def test_the_services_reason_ends_the_execution_red(cloud: Cloud) -> None:
    cloud.personalize.faults.fail("dataset_group", "The key's owner went fishing.")
    run = ensure(cloud, "dataset_group", name="dev-unlucky")
    assert (run.status, run.error, run.cause) == ("FAILED", "ResourceFailed", "The key's owner went fishing.")


def test_what_the_service_refuses_ends_red_in_its_words(cloud: Cloud) -> None:
    run = ensure(
        cloud, "solution", name="dev-s", datasetGroupArn=group_arn(cloud, "dev-created"), recipeArn="arn:aws:x"
    )
    assert run.status == "FAILED"
    assert run.error == "InvalidInputException"
    assert "CreateSolution" in (run.cause or "")


def test_an_unknown_type_is_named_with_the_known_ones(cloud: Cloud) -> None:
    run = ensure(cloud, "dataset_grup", name="dev-x")
    assert run.error == "UnknownResourceTypeError"
    assert "dataset_group" in (run.cause or "")


def test_a_difference_that_cannot_be_changed_is_explained(cloud: Cloud) -> None:
    ensure(cloud, "dataset_group", name="dev-shopping", domain="ECOMMERCE")
    run = ensure(cloud, "dataset_group", name="dev-shopping", domain="VIDEO_ON_DEMAND")
    assert (run.status, run.error) == ("FAILED", "ResourceFailed")
    assert "ask for another name" in (run.cause or "")


def test_throttling_is_waited_out(cloud: Cloud) -> None:
    cloud.personalize.faults.throttle(0.3)
    assert ensure(cloud, "dataset_group", name="dev-throttled").status == "SUCCEEDED"


def test_a_schema_needs_no_waiting(cloud: Cloud) -> None:
    avro = {
        "type": "record",
        "name": "Users",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
        "version": "1.0",
    }
    run = ensure(cloud, "schema", name="dev-users", schema=json.dumps(avro))
    assert (run.status, run.states.count("Wait")) == ("SUCCEEDED", 1)


def test_a_killed_handler_ends_red_in_words_a_stranger_understands(cloud: Cloud) -> None:
    killed = threading.Event()

    def kill() -> None:
        while not killed.is_set():
            for pid in cloud.worker_pids("personalize-dev-describe-resource"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    run = ensure(cloud, "dataset_group", name="dev-created")
    killed.set()
    killer.join()
    assert (run.status, run.error) == ("FAILED", "Runtime.ExitError")
    assert "exited" in (run.cause or "")
    assert ensure(cloud, "dataset_group", name="dev-created").status == "SUCCEEDED"


def test_what_once_failed_is_made_anew_by_the_next_run(cloud: Cloud) -> None:
    cloud.personalize.faults.fail("dataset_group", "The key's owner went fishing.")
    assert ensure(cloud, "dataset_group", name="dev-unlucky-once").status == "FAILED"
    again = ensure(cloud, "dataset_group", name="dev-unlucky-once")
    assert again.status == "SUCCEEDED", again.cause
    assert list(again.states[:4]) == [*LOOK, "Delete", "Wait"]
    assert again.states.count("Create") == 1


def test_what_fails_again_ends_red_and_is_made_once_a_run(cloud: Cloud) -> None:
    cloud.personalize.faults.fail("dataset_group", "The key's owner went fishing.", times=2)
    assert ensure(cloud, "dataset_group", name="dev-unlucky-twice").status == "FAILED"
    again = ensure(cloud, "dataset_group", name="dev-unlucky-twice")
    assert (again.status, again.cause) == ("FAILED", "The key's owner went fishing.")
    assert again.states.count("Create") == 1


def test_tags_are_changed_on_what_has_no_update_too(cloud: Cloud) -> None:
    def tags(arn: str) -> dict[str, str]:
        found = cloud.client("personalize").list_tags_for_resource(resourceArn=arn)["tags"]
        return {tag["tagKey"]: tag["tagValue"] for tag in found}

    made = ensure(cloud, "dataset_group", name="dev-tagged", tags=[{"tagKey": "team", "tagValue": "films"}])
    assert made.status == "SUCCEEDED", made.cause
    arn = str(made.output["arn"])
    changed = ensure(cloud, "dataset_group", name="dev-tagged", tags=[{"tagKey": "team", "tagValue": "books"}])
    assert (changed.status, changed.states.count("Update")) == ("SUCCEEDED", 1)
    assert tags(arn) == {"team": "books", "made-by": "personalize-dev"}
    assert "Update" not in ensure(cloud, "dataset_group", name="dev-tagged").states


def test_an_event_tracker_is_replaced_where_that_is_said(cloud: Cloud) -> None:
    group = group_arn(cloud, "dev-created")
    first = ensure(cloud, "event_tracker", name="dev-first", datasetGroupArn=group)
    kept = ensure(cloud, "event_tracker", name="dev-second", datasetGroupArn=group)
    assert (kept.status, kept.output["arn"]) == ("SUCCEEDED", first.output["arn"])
    request = {"name": "second", "datasetGroupArn": group}
    replaced = cloud.run("ensure_resource", {"type": "event_tracker", "request": request, "replace": True})
    assert replaced.status == "SUCCEEDED", replaced.cause
    trackers = cloud.client("personalize").list_event_trackers(datasetGroupArn=group)["eventTrackers"]
    assert [tracker["name"] for tracker in trackers] == ["second"]
