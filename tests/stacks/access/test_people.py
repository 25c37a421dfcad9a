"""What people may do, asked of the policies as they are deployed, by IAM's own rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import statemachines
from config.settings import Settings, load
from personalize_local.aws.iam.policy_evaluation import RequestContext, evaluate, statements_in
from stacks.access.people import SPENDING

ACCOUNT = "eu-west-1:123456789012"
BUCKET = "arn:aws:s3:::the-bucket"
MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:personalize-dev-"
RUN = f"arn:aws:states:{ACCOUNT}:execution:personalize-dev-"


def documents(assembly: Path) -> dict[str, str]:
    """Return the policies by name, with what CloudFormation would fill in."""
    template = json.loads((assembly / "personalize-dev-workflow.template.json").read_text(encoding="utf-8"))
    found = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::ManagedPolicy"]
    return {one["ManagedPolicyName"]: json.dumps(filled(one["PolicyDocument"])) for one in found}


def filled(value: Any) -> Any:
    """Return a part of a template with its references resolved."""
    if isinstance(value, list):
        return [filled(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        return "".join(filled(value["Fn::Join"][1]))
    if "Ref" in value:
        return {"AWS::Partition": "aws", "AWS::Region": ACCOUNT[:9], "AWS::AccountId": ACCOUNT[10:]}[value["Ref"]]
    if "Fn::ImportValue" in value:
        return BUCKET
    return {key: filled(part) for key, part in value.items()}


@pytest.fixture(scope="module")
def policies(dev: Path) -> dict[str, str]:
    return documents(dev)


def allowed(document: str, action: str, resource: str) -> bool:
    return evaluate(statements_in(document), RequestContext(action, resource)) == "allowed"


PUT, GET, START = "s3:PutObject", "s3:GetObject", "states:StartExecution"


@pytest.mark.parametrize(
    ("who", "action", "resource", "may"),
    [
        ("uploader", PUT, f"{BUCKET}/uploads/movies/interactions/monday.csv", True),
        ("uploader", PUT, f"{BUCKET}/uploads/movies/items/full/part/1.csv", True),
        ("uploader", "s3:AbortMultipartUpload", f"{BUCKET}/uploads/movies/users/1.csv", True),
        ("uploader", GET, f"{BUCKET}/rejected/movies/items/bad.csv.report.json", True),
        ("uploader", PUT, f"{BUCKET}/uploads/movies/batch/daily/members.json", False),
        ("uploader", PUT, f"{BUCKET}/uploads/movies/batch/items/members.json", False),
        ("uploader", PUT, f"{BUCKET}/requests/movies.json", False),
        ("uploader", PUT, f"{BUCKET}/rejected/movies/items/bad.csv.report.json", False),
        ("uploader", PUT, "arn:aws:s3:::another/uploads/movies/items/1.csv", False),
        ("uploader", GET, f"{BUCKET}/uploads/movies/interactions/monday.csv", False),
        ("uploader", GET, f"{BUCKET}/results/movies/daily/1.out", False),
        ("uploader", "s3:DeleteObject", f"{BUCKET}/uploads/movies/interactions/monday.csv", False),
        ("uploader", "s3:ListBucket", BUCKET, False),
        ("uploader", START, f"{MACHINE}pipeline", False),
        ("spender", PUT, f"{BUCKET}/requests/movies.json", True),
        ("spender", PUT, f"{BUCKET}/uploads/movies/batch/daily/members.json", True),
        ("spender", GET, f"{BUCKET}/results/movies/daily/1.out", True),
        ("spender", START, f"{MACHINE}pipeline", True),
        ("spender", START, f"{MACHINE}update-campaign", True),
        ("spender", "states:StopExecution", f"{RUN}train-solution:monday", True),
        ("spender", START, f"{MACHINE}remove-resource", False),
        ("spender", START, f"{MACHINE}ensure-resource", False),
        ("spender", START, MACHINE.replace("-dev-", "-prod-") + "pipeline", False),
        ("spender", PUT, f"{BUCKET}/uploads/movies/interactions/monday.csv", False),
        ("spender", "personalize:CreateSolutionVersion", f"arn:aws:personalize:{ACCOUNT}:solution/dev-x", False),
        ("spender", "iam:PassRole", "arn:aws:iam::123456789012:role/data", False),
    ],
)
def test_who_may_do_what(policies: dict[str, str], who: str, action: str, resource: str, *, may: bool) -> None:
    assert allowed(policies[f"personalize-dev-{who}"], action, resource) is may


def test_uploaders_of_named_groups_reach_no_other(synthesise: Callable[..., Path]) -> None:
    settings = Settings.model_validate({**load("dev").model_dump(), "uploader_groups": ["movies"]})
    document = documents(synthesise(settings))["personalize-dev-uploader"]
    assert allowed(document, PUT, f"{BUCKET}/uploads/movies/items/1.csv")
    assert allowed(document, GET, f"{BUCKET}/rejected/movies/items/1.csv.report.json")
    for key in ("books/items/1.csv", "movies/batch/items/1.json", "movies-2/items/1.csv", "books/movies/items/1.csv"):
        assert not allowed(document, PUT, f"{BUCKET}/uploads/{key}"), key
    assert not allowed(document, GET, f"{BUCKET}/rejected/books/items/1.csv.report.json")


def test_what_spends_is_a_machine_of_ours() -> None:
    assert set(SPENDING) < set(statemachines.names())
