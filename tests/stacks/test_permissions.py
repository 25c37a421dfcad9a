"""Who may do what, read from the templates: the grants table and not a word more."""

import importlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest

import statemachines
from lambdas.personalize.resources import RESOURCES
from stacks.grants import GRANTS
from stacks.handlers import handlers
from stacks.outputs import pascal

Template = dict[str, Any]
Statement = dict[str, Any]

OWN_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
X_RAY = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# IAM offers no resource for these: X-Ray, log delivery by Step Functions, and List operations of Personalize.
VARIABLES = {name for grant in GRANTS.values() for name in grant.variables}
WITHOUT_RESOURCE = ("xray:", "logs:", "personalize:List", "cloudwatch:", "scheduler:ListSchedules")


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"] for name, resource in template["Resources"].items() if resource["Type"] == kind
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def policies(template: Template) -> Iterator[tuple[str, Statement]]:
    """Yield every statement with the logical id of the role that has it."""
    for policy in resources(template, "AWS::IAM::Policy").values():
        for role in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role["Ref"], statement


def role_of(template: Template, module: str) -> str:
    (function,) = (
        properties
        for properties in resources(template, "AWS::Lambda::Function").values()
        if properties["Handler"] == f"lambdas.{module}.handler"
    )
    role: str = function["Role"]["Fn::GetAtt"][0]
    return role


def actions_of(template: Template, module: str) -> set[str]:
    role = role_of(template, module)
    return {
        action for owner, statement in policies(template) if owner == role for action in listed(statement["Action"])
    }


@pytest.mark.parametrize("module", handlers())
def test_a_function_may_do_what_its_row_says_and_no_more(workflow: Template, module: str) -> None:
    queue = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
    reads_queue = queue | {"sqs:GetQueueUrl"} if module == "record_uploads" else set()
    assert actions_of(workflow, module) == GRANTS[module].actions | OWN_LOGS | X_RAY | reads_queue


def test_every_handler_has_a_row_and_every_row_a_handler() -> None:
    assert set(handlers()) == set(GRANTS)


@pytest.mark.parametrize(
    ("module", "verb", "rows"),
    [
        ("create_resource", "Create", list(RESOURCES.values())),
        ("describe_resource", "Describe", list(RESOURCES.values())),
        ("update_resource", "Update", [row for row in RESOURCES.values() if row.updatable]),
        ("delete_resource", "Delete", [row for row in RESOURCES.values() if row.deletable]),
    ],
)
def test_a_verb_may_do_itself_to_every_type_in_the_table(module: str, verb: str, rows: list[Any]) -> None:
    verbs = {action for action in GRANTS[module].actions if action.startswith(f"personalize:{verb}")}
    assert verbs == {f"personalize:{verb}{row.pascal}" for row in rows}


def test_every_personalize_action_is_an_operation_of_the_service() -> None:
    operations = set(botocore.session.get_session().get_service_model("personalize").operation_names)
    granted = {action for grant in GRANTS.values() for action in grant.actions if action.startswith("personalize:")}
    assert {action.removeprefix("personalize:") for action in granted} <= operations


@pytest.mark.parametrize(
    ("module", "role", "service"),
    [
        ("create_resource", "DataRole", "personalize.amazonaws.com"),
        ("set_schedules", "SchedulesRole", "scheduler.amazonaws.com"),
    ],
)
def test_each_role_is_passed_by_one_function_to_one_service(
    workflow: Template, module: str, role: str, service: str
) -> None:
    passing = [
        (owner, statement) for owner, statement in policies(workflow) if "iam:PassRole" in listed(statement["Action"])
    ]
    assert len(passing) == 2
    ((owner, statement),) = [one for one in passing if role in json.dumps(one[1]["Resource"])]
    assert owner == role_of(workflow, module)
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": service}}


def test_scheduler_starts_what_schedules_may_start_and_only_for_the_stage(workflow: Template) -> None:
    ((name, role),) = [
        (name, role) for name, role in resources(workflow, "AWS::IAM::Role").items() if name.startswith("SchedulesRole")
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    (group,) = [name for name, one in workflow["Resources"].items() if one["Type"] == "AWS::Scheduler::ScheduleGroup"]
    account, source = {"Ref": "AWS::AccountId"}, {"Fn::GetAtt": [group, "Arn"]}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": source}}
    rights = [statement for owner, statement in policies(workflow) if owner == name]
    assert [statement["Action"] for statement in rights] == ["states:StartExecution", "sqs:SendMessage"]
    machines = [arn["Fn::Join"][1][-1].rpartition("-dev-")[2] for arn in rights[0]["Resource"]]
    assert sorted(machines) == ["ensure-resource", "import-data", "pipeline", "run-batch-inference"]


def test_no_action_is_a_wildcard(data: Template, workflow: Template) -> None:
    for template in (data, workflow):
        for owner, statement in policies(template):
            assert not [action for action in listed(statement["Action"]) if "*" in action], owner


def test_every_resource_is_named_where_iam_can_name_one(data: Template, workflow: Template) -> None:
    for template in (data, workflow):
        for owner, statement in policies(template):
            if statement["Resource"] == "*":
                unnamed = [a for a in listed(statement["Action"]) if not a.startswith(WITHOUT_RESOURCE)]
                assert not unnamed, owner


def test_every_function_has_a_role_of_its_own(workflow: Template) -> None:
    functions = resources(workflow, "AWS::Lambda::Function").values()
    assert len({json.dumps(function["Role"]) for function in functions}) == len(functions)


def test_functions_bring_no_managed_policies(workflow: Template) -> None:
    assert not [name for name, role in resources(workflow, "AWS::IAM::Role").items() if role.get("ManagedPolicyArns")]


def test_a_function_writes_to_its_own_log_group_only(workflow: Template) -> None:
    for module in handlers():
        role = role_of(workflow, module)
        (logs,) = (
            statement["Resource"]
            for owner, statement in policies(workflow)
            if owner == role and set(listed(statement["Action"])) == OWN_LOGS
        )
        assert logs["Fn::GetAtt"][0].startswith(f"{pascal(module)}Log")


def test_whoever_trusts_personalize_trusts_it_for_this_account_only(data: Template, workflow: Template) -> None:
    trusting = [
        statement
        for template in (data, workflow)
        for document in (
            *(role["AssumeRolePolicyDocument"] for role in resources(template, "AWS::IAM::Role").values()),
            *(policy["PolicyDocument"] for policy in resources(template, "AWS::S3::BucketPolicy").values()),
        )
        for statement in document["Statement"]
        if statement.get("Principal") == {"Service": "personalize.amazonaws.com"}
    ]
    assert len(trusting) >= 2, "the data role and the bucket policy"
    for statement in trusting:
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_personalize_may_write_below_results_only(data: Template) -> None:
    (bucket_policy,) = resources(data, "AWS::S3::BucketPolicy").values()
    statements = [*bucket_policy["PolicyDocument"]["Statement"], *(statement for _, statement in policies(data))]
    writing = [s for s in statements if s["Effect"] == "Allow" and "s3:PutObject" in listed(s["Action"])]
    assert len(writing) == 2
    for statement in writing:
        assert statement["Resource"]["Fn::Join"][1][-1] == "/results/*"


def test_a_machine_may_call_what_it_mentions_and_no_more(workflow: Template) -> None:
    roles = {
        machine["StateMachineName"]: machine["RoleArn"]["Fn::GetAtt"][0]
        for machine in resources(workflow, "AWS::StepFunctions::StateMachine").values()
    }
    for machine in resources(workflow, "AWS::StepFunctions::StateMachine").values():
        callable_arns = [
            json.dumps(arn)
            for owner, statement in policies(workflow)
            if owner == roles[machine["StateMachineName"]]
            for action in listed(statement["Action"])
            if action in {"lambda:InvokeFunction", "states:StartExecution"}
            for arn in listed(statement["Resource"])
        ]
        mentioned = [
            f"function:personalize-dev-{token.replace('_', '-')}:*" if token in handlers() else json.dumps(arn)
            for token, arn in machine["DefinitionSubstitutions"].items()
            if token != statemachines.RUN_MACHINE  # an integration, not a machine of ours
        ]
        assert len(callable_arns) == len(mentioned), machine["StateMachineName"]
        assert all(any(one in arn for arn in callable_arns) for one in mentioned), machine["StateMachineName"]


def test_a_machine_calls_the_version_that_was_deployed_with_it(workflow: Template) -> None:
    versions = {
        name: version["FunctionName"]["Ref"] for name, version in resources(workflow, "AWS::Lambda::Version").items()
    }
    functions = {
        name: function["Handler"].split(".")[1]
        for name, function in resources(workflow, "AWS::Lambda::Function").items()
    }
    for machine in resources(workflow, "AWS::StepFunctions::StateMachine").values():
        for token, arn in machine["DefinitionSubstitutions"].items():
            if token in handlers():
                assert functions[versions[arn["Ref"]]] == token


def test_versions_outlive_the_deployment_that_made_them(workflow: Template) -> None:
    """An execution may run for a year, and ends with the versions that it began with."""
    made = [one for one in workflow["Resources"].values() if one["Type"] == "AWS::Lambda::Version"]
    assert made
    for version in made:
        assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")


class RecordingEnvironment(dict[str, str]):
    """An environment that answers for every variable of the grants table, and remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(os.environ)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name in VARIABLES:
            self.read.add(name)
            return "7"
        return super().__getitem__(name)


@pytest.mark.parametrize("module", handlers())
def test_a_handler_reads_the_environment_it_has_and_no_more(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    environment = RecordingEnvironment()
    wiring = importlib.reload(importlib.import_module("lambdas.wiring"))
    monkeypatch.setattr(wiring, "os", SimpleNamespace(environ=environment))
    importlib.reload(importlib.import_module(f"lambdas.{module}"))
    assert environment.read == set(GRANTS[module].variables)


def test_only_wiring_reads_the_environment_or_makes_a_client() -> None:
    lambdas = Path(__file__).parents[2] / "lambdas"
    reading = {
        path.relative_to(lambdas).as_posix()
        for path in lambdas.rglob("*.py")
        if re.search(r"^(import|from) (os|boto3)\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert reading == {"wiring.py"}
