"""How the application refuses what does not fit, and that it is synthesised as the CDK's makers recommend."""

import ast
import json
import tarfile
from pathlib import Path

import aws_cdk
import pytest

import statemachines
from config.settings import load
from stacks import workflow
from stacks.application import build, new_app

ROOT = Path(__file__).parents[2]

# Where we depart from the recommendation, and why.
DEPARTURES = {
    # Weak references are read by Fn::GetStackOutput, which has to be given leave to read the other stack. Ours point
    # at data that stays, so an export that cannot be deleted while it is used is what we want.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
}


def test_a_handler_without_a_row_stops_the_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "handlers", lambda: ("forecast_weather",))
    with pytest.raises(KeyError, match=r"lambdas/forecast_weather\.py has a handler but stacks/grants\.py has no row"):
        build(new_app(tmp_path), load("dev"))


def test_a_token_without_a_file_stops_the_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statemachines, "tokens", lambda _name: frozenset({"ask_oracle"}))
    with pytest.raises(ValueError, match=r"mentions \$\{ask_oracle\}: neither lambdas/<token>\.py"):
        build(new_app(tmp_path), load("dev"))


def test_feature_flags_are_those_the_installed_library_recommends() -> None:
    (archive,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        recommended = json.load(member)
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert {key: value for key, value in context.items() if key.startswith("@aws-cdk")} == {**recommended, **DEPARTURES}


def test_stacks_know_of_handlers_only_the_resource_table_and_where_things_lie() -> None:
    imported = {
        node.module
        for path in (ROOT / "stacks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lambdas")
    }
    assert imported == {
        "lambdas.bucket_layout",
        "lambdas.notices.application_parameters",  # under which names
        "lambdas.personalize.resources",
    }
