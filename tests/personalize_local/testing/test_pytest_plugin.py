"""The plugin gives each test of a suite a Personalize of its own: fresh, or as the suite seeded it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SUITE = """
import boto3, pytest
from moto import mock_aws

def groups():
    return [each["name"] for each in boto3.client("personalize").list_dataset_groups()["datasetGroups"]]

@pytest.mark.parametrize("turn", range(2))
def test_is_a_tests_own(local_personalize, turn):
    first = groups()
    boto3.client("personalize").create_dataset_group(name="mine")
    local_personalize.settle()
    assert groups() == ["mine", *first] and len(first) == SEEDED

@mock_aws
def test_beside_moto(local_personalize):
    boto3.client("s3").create_bucket(Bucket="theirs")
    assert len(groups()) == SEEDED
    campaign = {"campaignArn": "arn:aws:personalize:us-east-1:123456789012:campaign/seeded", "itemId": "i1"}
    if SEEDED:
        assert boto3.client("personalize-runtime").get_recommendations(**campaign)["itemList"]
"""
SEED = """
import pytest

@pytest.fixture(scope="session")
def local_personalize_seed():
    return lambda local: local.trained_campaign("aws-sims", name="seeded")
"""


def _run(directory: Path, seed: str, *arguments: str) -> str:
    (directory / "test_suite.py").write_text(SUITE.replace("SEEDED", str(int(bool(seed)))))
    (directory / "conftest.py").write_text(seed)
    plugin = ("-p", "personalize_local.testing.pytest_plugin", "-p", "no:cacheprovider")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(directory), *plugin, *arguments, str(directory)],
        cwd=directory, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    return run.stdout + run.stderr


@pytest.mark.parametrize(
    ("seed", "arguments"),
    [
        pytest.param("", (), id="fresh"),
        pytest.param(SEED, ("-o", "local_personalize_where=child"), id="seeded, in a child"),
        pytest.param(SEED, ("-n", "2"), id="seeded, in two processes"),
    ],
)
def test_a_suite_runs(tmp_path: Path, seed: str, arguments: tuple[str, ...]) -> None:
    told = _run(tmp_path, seed, *arguments)
    assert "3 passed" in told, told


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    told = _run(tmp_path, "", "-o", "local_personalize_where=cellar")
    assert "is process or child, not 'cellar'" in told


def test_a_suite_that_asks_for_none_loads_none(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(
        "import sys\ndef test_plain(): assert not {'moto', 'boto3', 'numpy', 'polars'} & sys.modules.keys()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "personalize_local.testing.pytest_plugin", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=60)
