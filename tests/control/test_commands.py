"""The command line against the served local cloud, in a process of its own, and what it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from control.commands import main, parser
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


def test_plan_run_plan_export_and_run_again(cloud: Cloud, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert planned.stdout.splitlines() == [
        "create   solution dev-hand: it is not there",
        "train    solution version hand: FULL: there is no version yet (about 1.5 hours)",
        "create   campaign dev-hand: it is not there (about 0.2 hours)",
    ], planned.stderr

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


def test_every_argument_has_its_help_and_a_wrong_one_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert all(action.help for action in parser()._actions)
    with pytest.raises(SystemExit) as ended:
        main(["plan"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
