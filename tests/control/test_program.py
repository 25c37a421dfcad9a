"""The command line against the served local cloud, in a process of its own, and what it refuses."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import typer
from botocore.exceptions import ClientError

from control.program import app, main
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.e2e.resource_zoo import INTERACTIONS, WRITES, counted_creates, interactions

ROOT = Path(__file__).parents[2]
GROUP = "by-hand"
REQUEST: dict[str, Any] = {
    "datasetGroup": GROUP,
    "datasets": {"interactions": {"schema": json.loads(INTERACTIONS)}},
    "solutions": [{"name": "hand", "recipeArn": "aws-sims", "campaigns": [{"name": "hand", "minProvisionedTPS": 1}]}],
}


def control(cloud: Cloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **cloud.environment}
    command = [sys.executable, "-m", "control", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("requests") / "by-hand.json"
    path.write_text(json.dumps(REQUEST))
    return path


def test_commands_go_by_the_clouds_clock(cloud: Cloud) -> None:
    CLOCK.wait(86_400)
    before = CLOCK.now().replace(microsecond=0)
    stage = f"Connection('any', endpoint={cloud.endpoint!r})"
    asked = f"from control.connection import Connection; print({stage}.now().isoformat())"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env={**os.environ, **cloud.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not told.stderr
    assert before <= datetime.fromisoformat(told.stdout.strip()) <= CLOCK.now()
    assert abs(before - datetime.now(UTC)) > timedelta(hours=12)  # which this machine's own would not tell


def test_plan_run_plan_export_and_run_again(  # noqa: PLR0915 - one journey
    cloud: Cloud, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cloud.client("personalize")
    group = client.create_dataset_group(name=f"dev-{GROUP}")["datasetGroupArn"]
    text = json.dumps(json.loads(INTERACTIONS), indent=3)
    schema = client.create_schema(name="dev-notebook-3", schema=text)["schemaArn"]
    cloud.run("ensure_resource", {"type": "dataset_group", "request": {"name": f"dev-{GROUP}"}})
    client.create_dataset(name="clicks", datasetGroupArn=group, datasetType="INTERACTIONS", schemaArn=schema)
    cloud.run(
        "ensure_resource", {"type": "dataset", "request": {"datasetGroupArn": group, "datasetType": "INTERACTIONS"}}
    )

    planned = control(cloud, "plan", str(file))
    *told, prices = planned.stdout.splitlines()
    assert told == [
        "create   solution dev-hand: it is not there",
        "train    solution version hand: FULL: there is no version yet (about 1.5 hours, $0.36)",
        "create   campaign dev-hand: it is not there (about 0.2 hours, $146.12 a month)",
        "in total: about 1.8 hours of jobs, $0.36 once, $146.12 a month to keep it, with no request",
    ], planned.stderr
    assert prices.startswith("prices of 2")
    document = json.loads(control(cloud, "plan", str(file), "--json").stdout)
    assert document["total"] == {"hours": 1.75, "once": 0.36, "monthly": 146.12, "unknown": 0, "verified": True}
    assert document["prices"]["date"] in prices

    key = f"uploads/{GROUP}/interactions/monday.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=interactions().encode())
    cloud.quiesce()
    run = cloud.run("pipeline", REQUEST)
    assert run.status == "SUCCEEDED", run.cause
    again = control(cloud, "plan", str(file))
    assert (again.stdout, again.returncode) == ("nothing to do: everything is as the request says\n", 0), again.stderr

    exported = control(cloud, "export", GROUP)
    assert exported.returncode == 0, exported.stderr
    counted = counted_creates(monkeypatch, WRITES)
    second = cloud.run("pipeline", json.loads(exported.stdout))
    assert (second.status, dict(counted)) == ("SUCCEEDED", {}), second.cause


def test_a_plan_names_what_it_refuses_and_ends_red(cloud: Cloud, file: Path) -> None:
    refused = control(cloud, "plan", str(file.with_name("nowhere.json")))
    assert (refused.returncode, "nowhere.json" in refused.stderr) == (1, True)
    file.with_name("wrong.json").write_text(json.dumps({**REQUEST, "solutions": [{"name": "x", "recipeArn": "none"}]}))
    wrong = control(cloud, "plan", str(file.with_name("wrong.json")))
    assert (wrong.returncode, "'none' is no recipe" in wrong.stderr) == (1, True)
    solutions = [{"name": "thrifty-plan", "recipeArn": "aws-sims"}]
    thrifty = {"datasetGroup": "thrifty-plan", "budget": {"trainingHoursPerMonth": 1}, "solutions": solutions}
    thrifty["datasets"] = REQUEST["datasets"]
    file.with_name("thrifty.json").write_text(json.dumps(thrifty))
    over = control(cloud, "plan", str(file.with_name("thrifty.json")))
    assert (over.returncode, "refuse   budget trainingHoursPerMonth: is 1: 0 training(s)" in over.stdout) == (1, True)
    missing = control(cloud, "export", "nowhere")
    assert (missing.returncode, "no dataset group nowhere" in missing.stderr) == (1, True)
    elsewhere = control(cloud, "--app", "other-stage", "plan", GROUP)
    assert (elsewhere.returncode, "deploy the stage, or name it by --app" in elsewhere.stderr) == (1, True)


def test_a_configuration_is_converted_offline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.json"
    schema = {"serviceConfig": {"name": "s", "schema": json.loads(INTERACTIONS)}}
    datasets = {"interactions": {"dataset": {"serviceConfig": {"name": "d"}}, "schema": schema}}
    path.write_text(json.dumps({"datasetGroup": {"serviceConfig": {"name": "shop"}}, "datasets": datasets}))
    assert main(["convert", str(path)]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["datasetGroup"] == {"name": "shop"}
    assert told.err.startswith("$.datasets.interactions.schema.serviceConfig.name: a schema is found by what")
    path.write_text("{")
    assert main(["convert", str(path)]) == 1
    assert "is no JSON" in capsys.readouterr().err


def test_every_command_and_argument_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    program: Any = typer.main.get_command(app)
    assert len(program.commands) >= 20
    silent = [
        (name, parameter.name)
        for name, command in program.commands.items()
        for parameter in command.params
        if not (command.help and parameter.help)
    ]
    assert silent == []
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in program.commands)


WITHOUT_JSON: dict[str, str] = {
    **dict.fromkeys(("export", "convert"), "its output is a request, which is JSON"),
    "init": "it writes the request to a file",
    **dict.fromkeys(("put", "run", "forget"), "it follows what it starts; status, files and explain tell the end"),
    **dict.fromkeys(("approve", "pin", "unpin", "rollback"), "it follows what it starts; history tells the decision"),
}


def test_every_command_that_shows_data_shows_it_to_programs_too() -> None:
    program: Any = typer.main.get_command(app)
    without = {
        name
        for name, command in program.commands.items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == WITHOUT_JSON.keys()


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["plan"], 2, "Missing argument"),
        (["recommend", "films"], 1, "say for whom"),
        (["nonsense"], 2, "No such command"),
        (["check", "/nowhere.csv"], 2, "/nowhere.csv"),
        (["history", "films", "--file", "uploads/other/items/a.csv"], 1, "no upload of films"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, text: str
) -> None:
    assert main(arguments) == status
    told = capsys.readouterr().err
    assert text in told
    assert told.startswith("control: ")
    assert told.count("\n") == 1


def test_what_a_profile_may_not_do_is_told_politely(capsys: pytest.CaptureFixture[str]) -> None:
    """The local cloud serves its own deployer only, so that the service's refusal is a stub's."""
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StartExecution")
    with patch("control.commands.runs.connection_of", side_effect=error):
        assert main(["run", "films"]) == 1
    assert "your profile may not do that (StartExecution)" in capsys.readouterr().err
