"""The synthesised application, once per session and stage: templates as CloudFormation would get them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Read by node when it starts, so before the CDK is imported. tests/stacks/test_app.py has it on.
os.environ.setdefault("CDK_VALIDATION", "false")

from config.settings import Settings, load
from stacks.acknowledgements import ACKNOWLEDGED
from stacks.application import build, new_app

Template = dict[str, Any]
Synthesise = Callable[..., Path]


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """Return a function that writes an assembly and returns its folder, findings or not."""

    def run(settings: Settings, *, acknowledged: bool = True) -> Path:
        outdir = tmp_path_factory.mktemp(f"{settings.stage}-assembly")
        app = new_app(outdir)
        build(app, settings, acknowledged=ACKNOWLEDGED if acknowledged else ())
        if acknowledged:
            app.synth()
        else:
            with pytest.raises(RuntimeError, match="ValidationFailed"):
                app.synth()
        return outdir

    return run


@pytest.fixture(scope="session")
def dev(assembly: Path) -> Path:
    """Return the assembly of the stage that a developer deploys, which is also the one that runs locally."""
    return assembly


@pytest.fixture(scope="session")
def prod(synthesise: Synthesise) -> Path:
    """Return the assembly of the stage that keeps its data, with somebody to tell of alarms, and forgets imports."""
    return synthesise(load("prod").model_copy(update={"alarm_email": "operator@example.com", "imported_days": 100}))


ADOPTED = {
    "bucket_name": "somebodys-bucket",
    "table_name": "somebodys-ledger",
    "role_arn": "arn:aws:iam::123456789012:role/somebodys-role",
    "kms_key": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
}


@pytest.fixture(scope="session")
def encrypted(synthesise: Synthesise) -> Path:
    """Return the assembly of a stage that keeps its data and encrypts everything with a key of its own."""
    return synthesise(load("prod").model_copy(update={"alarm_email": "operator@example.com", "kms_key": "create"}))


@pytest.fixture(scope="session")
def adopted(synthesise: Synthesise) -> Path:
    """Return the assembly of a stage whose bucket, ledger, role and key were there before."""
    return synthesise(load("prod").model_copy(update={"alarm_email": "operator@example.com", **ADOPTED}))


@pytest.fixture(scope="session")
def adopted_bucket(synthesise: Synthesise) -> Path:
    """Return the assembly of a stage of which only the bucket was there before."""
    return synthesise(load("prod").model_copy(update={"bucket_name": ADOPTED["bucket_name"]}))


def _template(assembly: Path, stack: str) -> Template:
    template: Template = json.loads((assembly / f"personalize-{stack}.template.json").read_text(encoding="utf-8"))
    return template


@pytest.fixture(scope="session")
def data(dev: Path) -> Template:
    """Return the template of the data stack."""
    return _template(dev, "dev-data")


@pytest.fixture(scope="session")
def workflow(dev: Path) -> Template:
    """Return the template of the workflow stack."""
    return _template(dev, "dev-workflow")


@pytest.fixture(scope="session")
def monitoring(dev: Path) -> Template:
    """Return the template of the monitoring stack."""
    return _template(dev, "dev-monitoring")


@pytest.fixture(scope="session")
def kept(prod: Path) -> Template:
    """Return the template of a data stack whose stage keeps its data."""
    return _template(prod, "prod-data")


@pytest.fixture(scope="session")
def told(prod: Path) -> Template:
    """Return the template of a monitoring stack with an address to tell."""
    return _template(prod, "prod-monitoring")
