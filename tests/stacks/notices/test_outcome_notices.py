"""The rule that has outcomes told: every machine of the stage, every failure, successes where the stage wants them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import statemachines
from config.settings import load


def resources(assembly: Path, kind: str) -> list[dict[str, Any]]:
    template = json.loads((assembly / "personalize-dev-workflow.template.json").read_text(encoding="utf-8"))
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def rule(assembly: Path) -> dict[str, Any]:
    (found,) = [one for one in resources(assembly, "AWS::Events::Rule") if one["Name"] == "personalize-dev-run-ended"]
    return found


def test_every_machine_and_every_way_to_fail_is_told(dev: Path) -> None:
    detail = rule(dev)["EventPattern"]["detail"]
    assert set(detail["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    named = json.dumps(detail["stateMachineArn"])
    assert all(f'personalize-dev-{name.replace("_", "-")}"' in named for name in statemachines.names())
    (target,) = rule(dev)["Targets"]
    assert "DeadLetterConfig" in target


@pytest.fixture(scope="module")
def told(synthesise: Callable[..., Path]) -> Path:
    return synthesise(load("dev").model_copy(update={"notify_success": True, "notice_email": "team@example.com"}))


def test_a_stage_may_want_successes_and_name_somebody(dev: Path, told: Path) -> None:
    assert "SUCCEEDED" in rule(told)["EventPattern"]["detail"]["status"]
    (subscription,) = resources(told, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "team@example.com")
    assert not resources(dev, "AWS::SNS::Subscription")
