"""The example of a deployment from GitHub Actions: everything that it calls is there, and it holds no key."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from config.settings import load
from control.program import app

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples" / "github-actions" / "deploy.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
JOBS: dict[str, Any] = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def commands() -> Iterator[str]:
    return (line.strip() for step in STEPS for line in step.get("run", "").splitlines())


def test_it_runs_on_pull_requests_and_on_merges() -> None:
    # YAML 1.1 reads the key `on` as true.
    assert set(WORKFLOW[True]) == {"pull_request", "push"}
    assert all(event == {"branches": ["main"]} for event in WORKFLOW[True].values())
    assert {job: JOBS[job]["if"].partition(" && ")[0] for job in JOBS} == {
        "plan": "github.event_name == 'pull_request'",
        "deploy": "github.event_name == 'push'",
    }


def test_every_make_target_and_argument_it_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z_]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = [line.split()[1] for line in commands() if line.startswith("make ")]
    assert made == ["synth", "diff", "deploy"]
    assert set(made) <= targets


def test_its_commands_of_control_are_understood() -> None:
    (line,) = (line for line in commands() if " -m control " in line)
    arguments = line.replace('"', "").partition(" -m control ")[2].split()
    program: Any = typer.main.get_command(app)
    with program.make_context("control", [*arguments, "--help"], resilient_parsing=True) as context:
        assert context.params["stage_app"] == "$APP"
    assert "plan" in arguments
    assert "plan" in program.commands
    assert arguments[-1] == "$request"


def test_the_stage_and_its_app_are_there() -> None:
    settings = load(WORKFLOW["env"]["STAGE"])
    assert WORKFLOW["env"]["APP"] == f"{settings.name}-{settings.stage}"


def test_no_job_may_more_than_it_needs() -> None:
    assert WORKFLOW["permissions"] == {}
    for job in JOBS.values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        assert job["environment"]
        assert job["timeout-minutes"]
    assert "secrets." not in FILE.read_text(encoding="utf-8")
    assert not re.search(r"AKIA|aws_secret|access-key", FILE.read_text(encoding="utf-8"), re.IGNORECASE)


def test_synthesis_comes_before_credentials() -> None:
    steps = [step.get("run") or step["uses"] for step in JOBS["plan"]["steps"]]
    credentials = next(place for place, step in enumerate(steps) if "credentials" in step)
    assert credentials > next(place for place, step in enumerate(steps) if step.startswith("make synth"))


def test_what_somebody_else_writes_is_in_no_command() -> None:
    """GitHub's advice against injection: expressions are no part of scripts."""
    assert not [line for line in commands() if "${{" in line]


@pytest.mark.parametrize("step", [step for step in STEPS if "uses" in step], ids=lambda step: step["uses"])
def test_actions_are_pinned(step: dict[str, Any]) -> None:
    assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", step["uses"])
