"""What other people's rules say about the templates: cfn-lint, cdk-nag and the CDK's own validation."""

import json
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from cfnlint.api import lint

import statemachines
from config.settings import load
from stacks.acknowledgements import ACKNOWLEDGED, Acknowledged

FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:any"
REDUNDANT_DEPENDENCY = "W3005"  # the CDK writes DependsOn beside the reference that implies it


@pytest.fixture(scope="module")
def findings(synthesise: Callable[..., Path]) -> set[tuple[str, str]]:
    """Return what cdk-nag finds when nothing is acknowledged: paths below the application's name, and findings."""
    report = json.loads((synthesise(load("dev"), acknowledged=False) / "validation-report.json").read_text())
    return {
        (construct["constructPath"].removeprefix("personalize-dev-"), violation["ruleName"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


@pytest.mark.parametrize("assembly_name", ["dev", "prod", "encrypted", "adopted", "adopted_bucket"])
def test_cfn_lint_has_nothing_to_say(request: pytest.FixtureRequest, assembly_name: str) -> None:
    """The assemblies themselves are there because cdk-nag had nothing to say either."""
    templates = [str(path) for path in request.getfixturevalue(assembly_name).glob("*.template.json")]
    assert len(templates) == 3
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--ignore-checks", REDUNDANT_DEPENDENCY, "--", *templates]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


def test_cfn_lint_reads_the_definitions() -> None:
    broken = statemachines.text("ensure_resource").replace('"Type": "Wait"', '"Type": "Wiat"')
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/any",
            "DefinitionString": broken,
            "DefinitionSubstitutions": dict.fromkeys(statemachines.tokens("ensure_resource"), FUNCTION_ARN),
        },
    }
    assert {match.rule.id for match in lint(json.dumps({"Resources": {"Machine": machine}}))} == {"E3601"}


@pytest.mark.parametrize("entry", ACKNOWLEDGED, ids=lambda entry: f"{entry.path} {entry.finding}")
def test_a_reason_is_about_a_finding_that_is_there(entry: Acknowledged, findings: set[tuple[str, str]]) -> None:
    acknowledged = set(entry.findings(load("dev")))
    meant = (entry.path, f"{entry.path}/*")
    assert [path for path, one in findings if one in acknowledged and any(fnmatchcase(path, at) for at in meant)]


def test_findings_are_wildcards_in_resources_and_access_logs(findings: set[tuple[str, str]]) -> None:
    assert {finding.partition("::")[0] for _, finding in findings} == {
        "AwsSolutions-S1",
        "AwsSolutions-IAM5[Resource",
    }
