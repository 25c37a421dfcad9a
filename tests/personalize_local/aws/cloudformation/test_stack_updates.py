"""Updates of stacks: in the order of dependencies, and a version has the code that came with it."""

import json
from typing import Any

from personalize_local.aws.cloudformation.stack_updates import in_order
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import ROLE

CODE = "def handler(event, context):\n    return {word!r}\n"


def template(word: str, *, kept: bool = True) -> str:
    code = {"ZipFile": CODE.format(word=word)}
    function = {"Role": ROLE, "Runtime": "python3.14", "Handler": "index.handler", "Code": code}
    version: dict[str, Any] = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}}
    if kept:
        version["DeletionPolicy"] = "Retain"
    states = {"Say": {"Type": "Task", "Resource": "${say}", "End": True}}
    machine = {
        "RoleArn": ROLE,
        "DefinitionString": json.dumps({"StartAt": "Say", "States": states}),
        "DefinitionSubstitutions": {"say": {"Ref": f"Version{word}"}},
    }
    # The machine first: the order in the text must not matter.
    resources = {
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
        f"Version{word}": version,
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
    }
    outputs = {"Machine": {"Value": {"Ref": "Machine"}}, "Version": {"Value": {"Ref": f"Version{word}"}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def outputs(cloud: Cloud, name: str) -> dict[str, str]:
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def said(cloud: Cloud, arn: str) -> Any:
    return json.loads(cloud.client("lambda").invoke(FunctionName=arn)["Payload"].read())


def test_new_code_is_a_new_version_and_the_old_one_says_what_it_said(aws: Cloud) -> None:
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="words", TemplateBody=template("one"))
    first = outputs(aws, "words")
    assert aws.run(first["Machine"], {}).output == "one"
    cloudformation.update_stack(StackName="words", TemplateBody=template("two"))
    second = outputs(aws, "words")
    assert second["Machine"] == first["Machine"]
    assert second["Version"] != first["Version"]
    assert aws.run(second["Machine"], {}).output == "two"
    assert said(aws, first["Version"]) == "one"


def test_plain_moto_publishes_the_code_of_before(aws: Cloud) -> None:
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="plain", TemplateBody=template("one"))
    with moto_as_shipped("ResourceMap.update"):
        cloudformation.update_stack(StackName="plain", TemplateBody=template("two"))
    assert said(aws, outputs(aws, "plain")["Version"]) == "one"


def test_resources_come_after_what_they_refer_to() -> None:
    resources = {
        "A": {"Properties": {"x": {"Fn::Sub": "${B.Arn} and ${AWS::Region}"}}},
        "B": {"Properties": {"x": [{"Fn::GetAtt": ["C", "Arn"]}]}},
        "C": {"DependsOn": ["D", "E"], "Properties": {"x": {"Ref": "AWS::Region"}}},
        "D": {"Properties": {"x": {"Fn::GetAtt": "E.Arn"}}},
        "E": {},
    }
    assert list(in_order(resources)) == ["E", "D", "C", "B", "A"]
