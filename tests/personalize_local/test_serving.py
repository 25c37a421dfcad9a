"""`python -m personalize_local`: the commands, run as a stranger would run them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from personalize_local.__main__ import main, parser
from tests.personalize_local.running_commands import PROJECT, children, client, is_alive


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `serve` and yield its process and what it printed up to READY."""
    command = [sys.executable, "-m", "personalize_local", "serve", *arguments]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith("READY"):
                    break
            yield process, lines
        finally:
            process.kill()


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_serve_tells_programs_where_things_are_and_ends_clean() -> None:
    """The one that synthesises the app itself, as it does without --assembly."""
    with served("--json", "--speed", "300") as (process, lines):
        places = json.loads(lines[0])
        assert lines[1:] == [f"READY {places['endpoint']}"]
        assert set(places) == {"endpoint", "env", "bucket", "personalizeRoleArn", "stateMachines", "queues", "tables"}
        client("s3", places).head_bucket(Bucket=places["bucket"])
        run_a_handler(places)
        workers = children(process.pid)
        assert len(workers) >= 2  # the fork server, and a worker
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    wait_until_gone(workers)


def run_a_handler(places: dict[str, Any]) -> None:
    sfn = client("stepfunctions", places)
    given = json.dumps({"type": "dataset_group", "request": {"name": "dev-served"}})
    started = sfn.start_execution(stateMachineArn=places["stateMachines"]["ensure_resource"], input=given)
    deadline = time.monotonic() + 90
    while (status := sfn.describe_execution(executionArn=started["executionArn"])["status"]) == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert status == "SUCCEEDED"


def test_serve_tells_people_what_to_export_and_try(assembly: Path) -> None:
    with served("--assembly", str(assembly)) as (process, lines):
        text = "\n".join(lines)
        assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in text
        assert "ensure_resource" in text
        assert "aws s3 cp" in text
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_workers_end_with_a_cloud_that_was_killed(assembly: Path) -> None:
    with served("--json", "--assembly", str(assembly)) as (process, lines):
        run_a_handler(json.loads(lines[0]))
        workers = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
    wait_until_gone(workers)


def test_what_cannot_be_served_is_said_without_a_traceback(tmp_path: Path) -> None:
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "shop.template.json"}}
    template = {"Resources": {"Cluster": {"Type": "AWS::EKS::Cluster"}}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"shop": artifact}}), encoding="utf-8")
    (tmp_path / "shop.template.json").write_text(json.dumps(template), encoding="utf-8")
    with served("--assembly", str(tmp_path)) as (process, lines):
        assert lines == []
        assert process.wait(timeout=30) == 1
        assert process.stderr is not None
        assert process.stderr.read() == (
            "serve: the local cloud cannot make these resources of stack shop: Cluster (AWS::EKS::Cluster)\n"
        )


def test_commands_are_parsed() -> None:
    assert vars(parser().parse_args(["serve", "--port", "5000", "--speed", "60"])) == {
        "command": "serve",
        "port": 5000,
        "speed": 60.0,
        "json": False,
        "assembly": None,
        "state": None,
        "allow_origin": [],
        "max_body_mib": 512,
        "whole_cpus": False,
        "bare": False,
        "parent": None,
        "https": False,
        "ca_file": None,
    }
    assert parser().parse_args(["demo"]).command == "demo"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--allow-origin", "*", "'*' is no origin"),
        ("--allow-origin", "https://app.example/", "is no origin"),
        ("--max-body-mib", "0", "'0' is no number from 1 to 5120"),
        ("--max-body-mib", "many", "'many' is no number from 1 to 5120"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", option, value])
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["dance"])
    assert "serve" in capsys.readouterr().err
