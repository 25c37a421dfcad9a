"""The wheel works in a project of somebody else: an environment of its own, and tests that use the fixture.

With the newest versions of what it depends on, and with the oldest that it admits.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from personalize_local.testing import pytest_plugin

ROOT = Path(__file__).parents[2]
UV = (sys.executable, "-m", "uv")
SUITE = """
import boto3, pytest
from moto import mock_aws

def status(arn):
    return boto3.client("personalize").describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]

def test_a_training(local_personalize):
    campaign = local_personalize.trained_campaign()
    answer = boto3.client("personalize-runtime").get_recommendations(campaignArn=campaign.campaign_arn, userId="u1")
    assert len(answer["itemList"]) == 25

def test_a_fault(local_personalize):
    with local_personalize.faults.fail("dataset_group", "no room"):
        arn = boto3.client("personalize").create_dataset_group(name="g")["datasetGroupArn"]
        local_personalize.settle()
    assert (status(arn)["status"], status(arn)["failureReason"]) == ("CREATE FAILED", "no room")

def test_a_move_of_the_clock(local_personalize):
    local_personalize.clock.freeze()
    arn = boto3.client("personalize").create_dataset_group(name="g")["datasetGroupArn"]
    assert status(arn)["status"] == "CREATE PENDING"
    local_personalize.clock.advance(minutes=1)
    assert status(arn)["status"] == "ACTIVE"
"""
BESIDE_MOTO = """
import boto3, pytest
from moto import mock_aws
from test_suite import *

@pytest.fixture(autouse=True)
def outer_mock():
    with mock_aws():
        yield
"""
pytestmark = pytest.mark.registry


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run([*UV, "build", "--quiet", "--wheel", "--out-dir", str(directory)], cwd=ROOT, check=True, timeout=120)
    (built,) = directory.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"personalize_local"}
    assert "personalize_local/demo.py" not in names  # it is for the app
    assert pytest_plugin.__name__ in entry_points


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with an environment that the wheel was installed into."""
    directory = tmp_path_factory.mktemp("project")
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, ".venv"], cwd=directory, check=True, timeout=60)
    install = ["pip", "install", "--quiet", "--python", ".venv/bin/python", "--resolution", request.param]
    command = [*UV, *install, str(wheel), "pytest>=9", "pytest-xdist>=3.8"]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=300)
    if "error sending request" in run.stderr or "Failed to fetch" in run.stderr:
        pytest.skip("the package index cannot be reached")
    assert run.returncode == 0, run.stderr
    (directory / "test_suite.py").write_text(SUITE)
    (directory / "test_beside_moto.py").write_text(BESIDE_MOTO)
    return directory


@pytest.mark.parametrize(
    ("project", "arguments"),
    [
        pytest.param("highest", ("test_suite.py",), id="alone"),
        pytest.param("highest", ("test_beside_moto.py",), id="beside moto"),
        pytest.param("lowest-direct", ("-n", "2", "test_suite.py"), id="with the oldest, in two processes"),
    ],
    indirect=["project"],
    scope="module",
)
def test_a_suite_of_somebody_else_is_green(project: Path, arguments: tuple[str, ...]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    command = [".venv/bin/python", "-m", "pytest", "-q", "-W", "error::ResourceWarning", *arguments]
    run = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert "3 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("project", ["highest"], indirect=True, scope="module")
def test_the_command_is_there_and_has_no_app(project: Path) -> None:
    command = [".venv/bin/personalize-local", "--help"]
    told = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.startswith("usage: personalize-local")
    assert "serve" in told
    assert "demo" not in told
