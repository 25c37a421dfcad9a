"""The cloud as a whole: started, used, stopped, and started again in the same process."""

import gc
import json
import os
import socket
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import boto3
import pytest

from personalize_local.aws import current_cloud
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud

ECHO = json.dumps({"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}})
ROLE = "arn:aws:iam::123456789012:role/anyone"


def make(cloud: Cloud, definition: str = ECHO) -> str:
    made = cloud.client("stepfunctions").create_state_machine(name="machine", definition=definition, roleArn=ROLE)
    return str(made["stateMachineArn"])


def outside(cloud: Cloud, service: str) -> Any:
    """Return a client that reaches the cloud by HTTP, as another process would."""
    return boto3.client(service, endpoint_url=cloud.endpoint, region_name="us-east-1")  # type: ignore[call-overload]


def test_clients_inside_and_outside_see_the_same_cloud(bare_cloud: Cloud) -> None:
    outside(bare_cloud, "s3").create_bucket(Bucket="seen")
    assert [bucket["Name"] for bucket in bare_cloud.client("s3").list_buckets()["Buckets"]] == ["seen"]
    assert bare_cloud.endpoint.startswith("http://127.0.0.1:")


def test_personalize_is_ours_inside_and_outside(bare_cloud: Cloud) -> None:
    arn = bare_cloud.client("personalize").create_dataset_group(name="movies")["datasetGroupArn"]
    found = outside(bare_cloud, "personalize").describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert found["name"] == "movies"


def test_nothing_is_left_for_the_next_cloud() -> None:
    with Cloud() as first:
        first.client("s3").create_bucket(Bucket="forgotten")
        first.run(make(first), {})
        endpoint = first.endpoint
    with Cloud() as second:
        assert second.client("s3").list_buckets()["Buckets"] == []
        assert second.transitions() == 0
        assert second.client("stepfunctions").list_state_machines()["stateMachines"] == []
        assert second.endpoint != endpoint


def test_only_one_cloud_runs_in_a_process(bare_cloud: Cloud) -> None:
    with pytest.raises(RuntimeError, match=f"already running in this process, at {bare_cloud.endpoint}"):
        Cloud().__enter__()
    assert bare_cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_port_that_is_taken_is_said_and_nothing_stays_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} is in use"):
            Cloud(port=port).__enter__()
    with Cloud(port=port) as cloud:
        assert cloud.endpoint == f"http://127.0.0.1:{port}"


def test_time_is_real_again_after_the_cloud() -> None:
    with Cloud(speed=1000):
        assert CLOCK.speed == 1000
    assert CLOCK.speed == 1
    assert CLOCK.time() == pytest.approx(time.time(), abs=1)
    assert current_cloud.running() is None


def test_stopping_ends_executions_threads_and_files(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864_000, "End": True}}}
    with Cloud(directory=tmp_path) as cloud:
        cloud.start(make(cloud, json.dumps(wait)), {})
        cloud.client("s3").create_bucket(Bucket="bucket")
        for body in (b"1", b"2"):
            cloud.client("s3").put_object(Bucket="bucket", Key="key", Body=body)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert not [thread for thread in threading.enumerate() if thread not in before and "task-scheduler" in thread.name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()


def test_nothing_is_left_when_a_busy_cloud_is_stopped(tmp_path: Path) -> None:
    before = {thread for thread in threading.enumerate() if thread.is_alive()}
    with Cloud(speed=600, directory=tmp_path) as cloud:
        wait = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 864000, "End": true}}}'
        role = "arn:aws:iam::123456789012:role/anyone"
        made = cloud.client("stepfunctions").create_state_machine(name="long", definition=wait, roleArn=role)
        for _ in range(50):
            cloud.start(made["stateMachineArn"], {})
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert [name for name in left if not name.startswith("Thread-")] == []
    assert len(left) < 5  # connections of the endpoint that their clients keep open


def test_stopping_twice_is_harmless() -> None:
    with Cloud() as cloud:
        cloud.stop()


def test_running_a_machine_tells_how_it_ended(bare_cloud: Cloud) -> None:
    run = bare_cloud.run(make(bare_cloud), {"a": 1})
    assert (run.status, run.output, run.error, run.cause, run.states) == ("SUCCEEDED", {"a": 1}, None, None, ("Echo",))


def test_waiting_too_long_says_where_it_is(bare_cloud: Cloud) -> None:
    wait = {"StartAt": "Look", "States": {"Look": {"Type": "Wait", "Seconds": 864_000, "End": True}}}
    with pytest.raises(TimeoutError, match="Look"):
        bare_cloud.run(make(bare_cloud, json.dumps(wait)), {}, timeout_seconds=0.2)
    with pytest.raises(TimeoutError, match="1 running executions"):
        bare_cloud.quiesce(timeout_seconds=0.1)


def test_quiet_means_that_what_an_execution_started_is_over_too(bare_cloud: Cloud) -> None:
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
    arn = bare_cloud.start(make(bare_cloud, json.dumps(wait)), {})
    bare_cloud.quiesce()
    assert bare_cloud.client("stepfunctions").describe_execution(executionArn=arn)["status"] == "SUCCEEDED"


def test_without_a_deployment_there_is_nothing_to_start_by_name(bare_cloud: Cloud) -> None:
    with pytest.raises(RuntimeError, match="nothing is deployed"):
        bare_cloud.start("pipeline", {})


def test_settings_of_the_shell_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever exported the variables of one cloud may start another, or the tests, in the same shell."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with Cloud() as cloud:
        assert boto3.client("s3", region_name="us-east-1").list_buckets()["Buckets"] == []
        cloud.run(make(cloud), {})
    assert os.environ["AWS_PROFILE"] == "nobody"
    assert "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" not in os.environ


def test_the_process_environment_stays_clean(bare_cloud: Cloud) -> None:
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert bare_cloud.environment["AWS_ENDPOINT_URL"] == bare_cloud.endpoint
