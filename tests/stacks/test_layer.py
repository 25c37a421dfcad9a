"""The layer is all that handlers get on AWS, so it has to be enough, and the same as here."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from config.settings import load
from stacks.application import build, new_app
from stacks.verb_function import ARCHITECTURE, RUNTIME

Template = dict[str, Any]

ROOT = Path(__file__).parents[2]
PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}

# Runs with nothing but the code asset and the layer's distributions on the path; the environment is what the
# template gives each function.
IMPORT_ALL = """
import importlib, json, os, sys
for name, environment in json.load(sys.stdin).items():
    os.environ.clear()
    os.environ.update(environment)
    assert callable(importlib.import_module(name).handler), name
"""


def locked(name: str) -> dict[str, str]:
    """Return name and version of what a requirements file pins for this interpreter."""
    lines = re.findall(r"^([a-z][^\\\n]*==[^\\\n]*)", (ROOT / name).read_text(), flags=re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    return {r.name: str(r.specifier) for r in requirements if r.marker is None or r.marker.evaluate()}


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Return a folder with what requirements-layer.txt pins, linked from the installed distributions."""
    for name in locked("requirements-layer.txt"):
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in {"..", "__pycache__"}}:
            (tmp_path / top).symlink_to(str(distribution.locate_file(top)))
    return tmp_path


def functions(workflow: Template) -> list[dict[str, Any]]:
    return [r["Properties"] for r in workflow["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]


def test_every_handler_imports_with_the_layer_and_its_environment_alone(
    dev: Path, workflow: Template, layer: Path
) -> None:
    (asset,) = dev.glob("asset.*")
    known = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "any", "PYTHONPATH": f"{asset}:{layer}"}
    modules = {
        function["Handler"].removesuffix(".handler"): {
            **known,
            **{
                key: value if isinstance(value, str) else "any"
                for key, value in function["Environment"]["Variables"].items()
            },
        }
        for function in functions(workflow)
    }
    assert modules
    run = subprocess.run(
        [sys.executable, "-S", "-c", IMPORT_ALL],
        input=json.dumps(modules),
        env=known,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_asset_is_the_handlers_and_their_domain(dev: Path) -> None:
    (asset,) = dev.glob("asset.*")
    packed = {path.relative_to(asset) for path in asset.rglob("*") if path.is_file()}
    here = {path.relative_to(ROOT) for path in (ROOT / "lambdas").rglob("*") if path.is_file()}
    assert packed == {path for path in here if "__pycache__" not in path.parts}


def test_handlers_run_here_with_the_versions_they_get_there() -> None:
    here = locked("requirements.txt")
    for name, version in locked("requirements-layer.txt").items():
        assert here[name] == version
        assert importlib.metadata.version(name) == version.removeprefix("==")


def test_make_builds_the_layer_for_the_functions() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert f"LAYER_PLATFORM := {PLATFORMS[ARCHITECTURE.name]}\n" in makefile
    assert f"LAYER_PYTHON := {RUNTIME.name.removeprefix('python')}\n" in makefile


def test_functions_get_the_layer_that_was_built(tmp_path: Path) -> None:
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "module.py").touch()
    app = new_app(tmp_path / "assembly")
    build(app, load("dev"), layer=str(tmp_path / "layer"))
    app.synth()
    template = json.loads((tmp_path / "assembly" / "personalize-dev-workflow.template.json").read_text())
    ((name, layer),) = ((n, r) for n, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::LayerVersion")
    assert layer["Properties"]["CompatibleArchitectures"] == [ARCHITECTURE.name]
    assert {json.dumps(function["Layers"]) for function in functions(template)} == {json.dumps([{"Ref": name}])}


def test_a_template_without_the_layer_says_so(workflow: Template) -> None:
    assert "without their dependencies" in workflow["Description"]
    assert not [function for function in functions(workflow) if "Layers" in function]
