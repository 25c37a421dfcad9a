"""app.py as a stranger runs it: without credentials, network tools, node or Docker on the path."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_app(outdir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {"HOME": os.environ["HOME"], "PATH": "/nowhere", "CDK_OUTDIR": str(outdir), "AWS_EC2_METADATA_DISABLED": "1"}
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env={**bare, **environment}, capture_output=True, text=True, check=False
    )


def test_app_needs_nothing_and_passes_every_validation(tmp_path: Path) -> None:
    """Here the CDK's own validation of templates is on; it has nothing to say either."""
    run = run_app(tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_stage_comes_from_the_environment(tmp_path: Path) -> None:
    run = run_app(tmp_path, PERSONALIZE_STAGE="test", CDK_VALIDATION="false")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "personalize-test-workflow.template.json").is_file()


def test_context_goes_before_the_environment(tmp_path: Path) -> None:
    """The CDK's command line hands `-c stage=prod` over in CDK_CONTEXT_JSON."""
    context = json.dumps({"stage": "prod"})
    run = run_app(tmp_path, PERSONALIZE_STAGE="test", CDK_CONTEXT_JSON=context, CDK_VALIDATION="false")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "personalize-prod-workflow.template.json").is_file()


def test_an_unknown_stage_is_refused_by_name(tmp_path: Path) -> None:
    run = run_app(tmp_path, PERSONALIZE_STAGE="staging")
    assert run.returncode != 0
    assert "there is no stage 'staging': config/ has dev, prod, test" in run.stderr


def test_a_layer_that_was_not_built_is_refused(tmp_path: Path) -> None:
    context = json.dumps({"layer": "build/nothing-here"})
    run = run_app(tmp_path, CDK_CONTEXT_JSON=context, CDK_VALIDATION="false")
    assert run.returncode != 0
    assert "run `make layer` first" in run.stderr
