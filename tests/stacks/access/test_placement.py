"""Where a stage is deployed: what its settings say, and no credentials asked."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.settings import Settings, load
from personalize_local.aws.iam.policy_evaluation import RequestContext, evaluate, statements_in

PLACED = {
    "account": "123456789012",
    "region": "cn-north-1",
    "permissions_boundary": "engineering-boundary",
    "vpc": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0b"]},
    "tags": {"cost-centre": "films"},
}


@pytest.fixture(scope="module")
def placed(synthesise: Callable[..., Path]) -> Path:
    return synthesise(Settings.model_validate({**load("dev").model_dump(), **PLACED}))


def of_type(assembly: Path, kind: str) -> Iterator[dict[str, Any]]:
    for file in assembly.glob("*.template.json"):
        template = json.loads(file.read_text(encoding="utf-8"))
        yield from (one["Properties"] for one in template["Resources"].values() if one["Type"] == kind)


def test_stacks_go_to_the_account_and_region_of_the_stage(placed: Path, dev: Path) -> None:
    def environments(assembly: Path) -> set[str]:
        artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"].values()
        return {one["environment"] for one in artifacts if one["type"] == "aws:cloudformation:stack"}

    assert environments(placed) == {"aws://123456789012/cn-north-1"}
    assert environments(dev) == {"aws://unknown-account/unknown-region"}


def test_another_partition_is_in_no_way_special(placed: Path) -> None:
    for file in placed.glob("*.template.json"):
        assert "arn:aws:" not in file.read_text(encoding="utf-8"), file.name


def test_every_role_is_bounded(placed: Path, dev: Path) -> None:
    roles = list(of_type(placed, "AWS::IAM::Role"))
    assert len(roles) > 20
    for role in roles:
        assert "engineering-boundary" in json.dumps(role["PermissionsBoundary"])
    assert not [role for role in of_type(dev, "AWS::IAM::Role") if "PermissionsBoundary" in role]


def test_every_function_is_in_the_network_and_may_be(placed: Path) -> None:
    functions = list(of_type(placed, "AWS::Lambda::Function"))
    assert len(functions) > 15
    for function in functions:
        assert function["VpcConfig"] == {"SubnetIds": ["subnet-0a"], "SecurityGroupIds": ["sg-0b"]}
    attaching = {
        role["Ref"]
        for policy in of_type(placed, "AWS::IAM::Policy")
        for role in policy["Roles"]
        if allows(policy["PolicyDocument"], "ec2:CreateNetworkInterface", "*")
    }
    assert attaching == {function["Role"]["Fn::GetAtt"][0] for function in functions}


def allows(document: dict[str, Any], action: str, resource: str) -> bool:
    plain = [one for one in document["Statement"] if one["Resource"] == "*"]
    statements = statements_in(json.dumps({**document, "Statement": plain}))
    return evaluate(statements, RequestContext(action, resource)) == "allowed"


def test_what_takes_tags_has_the_stage_s(placed: Path) -> None:
    for role in of_type(placed, "AWS::IAM::Role"):
        tags = {tag["Key"]: tag["Value"] for tag in role["Tags"]}
        assert tags == {"cost-centre": "films", "application": "personalize", "stage": "dev"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "12345"},
        {"region": "Ireland"},
        {"permissions_boundary": "arn:aws:iam::1:role/x"},
        {"vpc": {"subnet_ids": [], "security_group_ids": ["sg-0b"]}},
        {"tags": {"cost;centre": "x"}},
    ],
)
def test_what_no_deployment_could_take_is_refused_when_it_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Settings.model_validate({**load("dev").model_dump(), **wrong})
