"""`serve --bare` answers within a moment, in plain HTTP or in HTTPS, and its clock and faults obey the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from personalize_local.engine.processes.child_processes import ChildProcess


@pytest.fixture(params=["http", "https"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    secure = ("--https", "--ca-file", str(tmp_path / "authority.pem")) if request.param == "https" else ()
    command = [sys.executable, "-m", "personalize_local", "serve", "--bare", "--json", "--speed", "1", *secure]
    with ChildProcess(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 0


def _run(served: dict[str, Any], *arguments: str) -> str:
    name, *rest = arguments
    command = [sys.executable, "-m", "personalize_local", name, "--endpoint", served["endpoint"], *rest]
    environment = {**served["env"], "PATH": ""}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return run.stdout


def test_it_is_served_and_controlled(served: dict[str, Any]) -> None:
    env = served["env"]
    personalize = boto3.client(
        "personalize",
        env["AWS_REGION"],
        endpoint_url=served["endpoint"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        verify=env.get("AWS_CA_BUNDLE"),
    )
    arn = personalize.create_dataset_group(name="g")["datasetGroupArn"]
    assert personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "CREATE PENDING"
    assert "1 times as fast" in _run(served, "clock", "advance", "60")
    assert personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE"
    assert "by itself" in _run(served, "clock", "automatic")
    assert "1e-06 times" in _run(served, "clock", "freeze")
    assert json.loads(_run(served, "fault", "throttle", "0.5", "--service", "s3"))["throttledShares"] == {"s3": 0.5}
