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
    yield
    cloud.personalize.faults.clear()


def ensure(cloud: Cloud, noun: str, **request: Any) -> Run:
    return cloud.run("ensure_resource", {"type": noun, "request": request})


def group_arn(cloud: Cloud, name: str) -> str:
    return str(ensure(cloud, "dataset_group", name=name).output["arn"])


def test_creates_then_waits_until_active(cloud: Cloud) -> None:
    run = ensure(cloud, "dataset_group", name="created")
    assert run.status == "SUCCEEDED"
    assert run.output["status"] == "ACTIVE"
    assert run.output["arn"].endswith(":dataset-group/created")
    assert list(run.states[:4]) == [*LOOK, "Create", "Wait"]
    assert list(run.states[-3:]) == [*LOOK, "Ready"]


def test_what_is_there_is_only_looked_at(cloud: Cloud) -> None:
    ensure(cloud, "dataset_group", name="created")
    assert list(ensure(cloud, "dataset_group", name="created").states) == [*LOOK, "Ready"]


def test_two_loops_for_one_resource_make_one(cloud: Cloud) -> None:
    wish = {"type": "dataset_group", "request": {"name": "raced"}}
    arns = [cloud.start("ensure_resource", wish) for _ in range(4)]
    runs = [cloud.wait(arn) for arn in arns]
    assert {run.status for run in runs} == {"SUCCEEDED"}
    assert len({run.output["arn"] for run in runs}) == 1


def test_the_services_reason_ends_the_execution_red(cloud: Cloud) -> None:
    cloud.personalize.faults.fail("dataset_group", "The key's owner went fishing.")
    run = ensure(cloud, "dataset_group", name="unlucky")
    assert (run.status, run.error, run.cause) == ("FAILED", "ResourceFailed", "The key's owner went fishing.")


def test_what_the_service_refuses_ends_red_in_its_words(cloud: Cloud) -> None:
    run = ensure(cloud, "solution", name="s", datasetGroupArn=group_arn(cloud, "created"), recipeArn="arn:aws:x")
    assert run.status == "FAILED"
    assert run.error == "InvalidInputException"
    assert "CreateSolution" in (run.cause or "")


def test_an_unknown_type_is_named_with_the_known_ones(cloud: Cloud) -> None:
    run = ensure(cloud, "dataset_grup", name="x")
    assert run.error == "UnknownResourceTypeError"
    assert "dataset_group" in (run.cause or "")


def test_a_difference_that_cannot_be_changed_is_explained(cloud: Cloud) -> None:
    ensure(cloud, "dataset_group", name="shopping", domain="ECOMMERCE")
    run = ensure(cloud, "dataset_group", name="shopping", domain="VIDEO_ON_DEMAND")
    assert (run.status, run.error) == ("FAILED", "ResourceFailed")
    assert "ask for another name" in (run.cause or "")


def test_throttling_is_waited_out(cloud: Cloud) -> None:
    cloud.personalize.faults.throttle(0.3)
    assert ensure(cloud, "dataset_group", name="throttled").status == "SUCCEEDED"


def test_a_schema_needs_no_waiting(cloud: Cloud) -> None:
    avro = {
        "type": "record",
        "name": "Users",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
        "version": "1.0",
    }
    run = ensure(cloud, "schema", name="users", schema=json.dumps(avro))
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
    run = ensure(cloud, "dataset_group", name="created")
    killed.set()
    killer.join()
    assert (run.status, run.error) == ("FAILED", "Runtime.ExitError")
    assert "exited" in (run.cause or "")
    assert ensure(cloud, "dataset_group", name="created").status == "SUCCEEDED"
