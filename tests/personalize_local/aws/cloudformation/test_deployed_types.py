"""CloudFormation: what plain moto skips, thins out or gets wrong."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from moto.cloudformation import parsing
from moto.s3.models import s3_backends

from personalize_local.aws.cloudformation.deployed_types import ADDED_TYPES, MOTO_TYPES, SUPPORTED
from personalize_local.aws.cloudformation.templates import UnsupportedResourceError, check_supported, models
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import ROLE

ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "Result": "${word}", "End": True}}}
_numbers = iter(range(1000))


def create(cloud: Cloud, resources: dict[str, Any], **outputs: Any) -> dict[str, str]:
    """Create a stack and return its outputs."""
    template = {"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}
    cloudformation, name = cloud.client("cloudformation"), f"stack-{next(_numbers)}"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def machine(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": ROLE, **properties}}


@pytest.mark.parametrize(
    "definition",
    [
        {"DefinitionString": json.dumps(ECHO)},
        {"Definition": ECHO},
        {"DefinitionS3Location": {"Bucket": "definitions", "Key": "echo.asl.json"}},
    ],
)
def test_a_state_machine_runs_with_its_tokens_replaced(aws: Cloud, definition: dict[str, Any]) -> None:
    aws.client("s3").create_bucket(Bucket="definitions")
    aws.client("s3").put_object(Bucket="definitions", Key="echo.asl.json", Body=json.dumps(ECHO).encode())
    made = machine(**definition, DefinitionSubstitutions={"word": "replaced"})
    outputs = create(aws, {"Machine": made}, Arn={"Ref": "Machine"}, Name={"Fn::GetAtt": ["Machine", "Name"]})
    assert aws.run(outputs["Arn"], {}).output == "replaced"
    assert outputs["Arn"].endswith(outputs["Name"])


def test_plain_moto_makes_machines_that_never_run(aws: Cloud) -> None:
    with moto_as_shipped("cloudformation.parsing.resource_class_from_type"):
        arn = create(aws, {"Machine": machine(DefinitionString=json.dumps(ECHO))}, Arn={"Ref": "Machine"})["Arn"]
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        aws.run(arn, {})


def test_a_bucket_is_versioned_and_tells_eventbridge(aws: Cloud) -> None:
    properties: dict[str, Any] = {
        "VersioningConfiguration": {"Status": "Enabled"},
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    }
    name = create(aws, {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}, Name={"Ref": "Bucket"})[
        "Name"
    ]
    s3 = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    configuration = s3_backends["123456789012"]["aws"].buckets[name].notification_configuration
    assert configuration is not None
    assert configuration.event_bridge is not None  # moto keeps it, and does not tell


def test_other_notifications_of_a_bucket_are_refused(aws: Cloud) -> None:
    properties: dict[str, Any] = {"NotificationConfiguration": {"TopicConfigurations": []}}
    with pytest.raises(ClientError, match="EventBridge only"):
        create(aws, {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}})


@pytest.mark.parametrize(
    ("condition", "is_denied"), [({"Bool": {"aws:SecureTransport": "false"}}, False), (None, True)]
)
def test_a_bucket_policy_denies_where_its_condition_holds(aws: Cloud, condition: Any, is_denied: bool) -> None:
    """Choice: every request counts as encrypted, although the local endpoint speaks plain HTTP."""
    statement = {"Effect": "Deny", "Action": "s3:*", "Principal": "*", "Resource": "*"}
    if condition:
        statement["Condition"] = condition
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": [statement]}},
        },
    }
    name = create(aws, resources, Name={"Ref": "Bucket"})["Name"]
    if is_denied:
        with pytest.raises(ClientError, match=r"403|Forbidden|AccessDenied"):
            aws.client("s3").put_object(Bucket=name, Key="key", Body=b"")
    else:
        aws.client("s3").put_object(Bucket=name, Key="key", Body=b"")


def test_a_function_keeps_its_own_layer_and_leaves_out_those_of_others(aws: Cloud) -> None:
    layer = aws.client("lambda").publish_layer_version(LayerName="ours", Content={"ZipFile": b"PK\5\6" + bytes(18)})
    public = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:1"
    code = "def handler(event, context): return sorted(event)"
    properties = {
        "FunctionName": "made-by-template",
        "Code": {"ZipFile": code},
        "Handler": "index.handler",
        "Role": ROLE,
        "Runtime": "python3.13",
        "Layers": [layer["LayerVersionArn"], public],
        "Tags": [{"Key": "stage", "Value": "test"}],
    }
    create(aws, {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}})
    lambdas = aws.client("lambda")
    made = lambdas.get_function(FunctionName="made-by-template")
    assert [one["Arn"] for one in made["Configuration"]["Layers"]] == [layer["LayerVersionArn"]]
    assert made["Tags"] == {"stage": "test"}
    assert json.load(lambdas.invoke(FunctionName="made-by-template", Payload=b'{"b": 1, "a": 2}')["Payload"]) == [
        "a",
        "b",
    ]


def test_a_layer_is_referred_to_by_its_version(aws: Cloud) -> None:
    aws.client("s3").create_bucket(Bucket="layers")
    aws.client("s3").put_object(Bucket="layers", Key="layer.zip", Body=b"PK\5\6" + bytes(18))
    properties = {"LayerName": "templated", "Content": {"S3Bucket": "layers", "S3Key": "layer.zip"}}
    layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": properties}
    assert create(aws, {"Layer": layer}, Arn={"Ref": "Layer"})["Arn"].endswith(":layer:templated:1")


def test_an_alarm_has_an_arn(aws: Cloud) -> None:
    properties = {
        "AlarmName": "too-many",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Period": 300,
        "Statistic": "Sum",
        "Threshold": 0,
    }
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    arn = create(aws, {"Alarm": alarm}, Arn={"Fn::GetAtt": ["Alarm", "Arn"]})["Arn"]
    (described,) = aws.client("cloudwatch").describe_alarms(AlarmNames=["too-many"])["MetricAlarms"]
    assert described["AlarmArn"] == arn


def test_plain_moto_knows_no_names_of_our_types(aws: Cloud) -> None:
    named = machine(StateMachineName="as-asked", DefinitionString=json.dumps(ECHO))
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "named", "MetricName": "Errors"}}
    with moto_as_shipped("cloudformation.parsing.resource_name_property_from_type"):
        assert not create(aws, {"Machine": named}, Arn={"Ref": "Machine"})["Arn"].endswith(":as-asked")
    assert create(aws, {"Machine": named}, Arn={"Ref": "Machine"})["Arn"].endswith(":as-asked")
    assert create(aws, {"Alarm": alarm}, Name={"Ref": "Alarm"})["Name"] == "named"


UNKNOWN = {
    "Resources": {
        "Fine": {"Type": "AWS::SQS::Queue"},
        "Cluster": {"Type": "AWS::EKS::Cluster"},
        "Trigger": {"Type": "Custom::S3BucketNotifications"},
    }
}


def test_what_is_not_supported_is_named_with_its_logical_id() -> None:
    with pytest.raises(UnsupportedResourceError) as raised:
        check_supported("shop", UNKNOWN)
    assert "Cluster (AWS::EKS::Cluster), Trigger (Custom::S3BucketNotifications)" in str(raised.value)
    assert "shop" in str(raised.value)
    assert "Fine" not in str(raised.value)


def test_cloudformation_itself_refuses_them_too(aws: Cloud) -> None:
    """The CDK's command line does not go through our deployment, and must hear of it as well."""
    with pytest.raises(ClientError, match="AWS::EKS::Cluster"):
        create(aws, {"Cluster": UNKNOWN["Resources"]["Cluster"]})


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (machine(DefinitionString="{nope"), "INVALID_JSON_DESCRIPTION"),
        (
            machine(DefinitionString='{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}'),
            "Missing 'StartAt' target",
        ),
        ({"Type": "AWS::Lambda::Function", "Properties": {"Role": ROLE}}, "there is no 'Code'"),
        ({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nobody"}}}, "there is no 'Nobody'"),
    ],
)
def test_what_cannot_be_created_is_named_with_the_reason(aws: Cloud, resource: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=rf"Bad \({resource['Type']}\) could not be created: .*{message}"):
        create(aws, {"Bad": resource})


def test_plain_moto_lets_errors_out_as_they_are(aws: Cloud) -> None:
    with moto_as_shipped("cloudformation.parsing.parse_and_create_resource"), pytest.raises(KeyError):
        create(aws, {"Bad": {"Type": "AWS::Lambda::Function", "Properties": {"Role": ROLE}}})


def update(cloud: Cloud, name: str, resources: dict[str, Any], **parameters: Any) -> None:
    template = {"Resources": resources}
    if parameters:
        template["Parameters"] = {key: {"Type": "String", "Default": "d"} for key in parameters}
    asked = [{"ParameterKey": key, "UsePreviousValue": True} for key in parameters]
    cloud.client("cloudformation").update_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=asked)


def test_what_we_make_can_be_updated_in_place(aws: Cloud) -> None:
    said = [{**ECHO, "States": {"Echo": {**ECHO["States"]["Echo"], "Result": word}}} for word in ("before", "after")]  # type: ignore[index]
    before, after = ({"Machine": machine(DefinitionString=json.dumps(one))} for one in said)
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="updated", TemplateBody=json.dumps({"Resources": before}))
    update(aws, "updated", after)
    (found,) = cloudformation.describe_stack_resources(StackName="updated")["StackResources"]
    assert aws.run(found["PhysicalResourceId"], {}).output == "after"


def test_a_bucket_is_updated_and_keeps_its_objects(aws: Cloud) -> None:
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "kept"}}
    aws.client("cloudformation").create_stack(StackName="b", TemplateBody=json.dumps({"Resources": {"B": bucket}}))
    aws.client("s3").put_object(Bucket="kept", Key="key", Body=b"")
    bucket["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
    update(aws, "b", {"B": bucket})
    assert aws.client("s3").get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    aws.client("s3").head_object(Bucket="kept", Key="key")
    with pytest.raises(ClientError, match="does not rename kept"):
        update(aws, "b", {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "other"}}})


GROUPS = [{"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}} for days in (7, 14)]


def test_what_moto_cannot_update_is_named(aws: Cloud) -> None:
    body = json.dumps({"Resources": GROUPS[0]})
    for name in ("refused", "lost"):
        aws.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    with pytest.raises(ClientError, match=r"does not update Group \(AWS::Logs::LogGroup\)"):
        update(aws, "refused", GROUPS[1])
    with moto_as_shipped("cloudformation.parsing.parse_and_update_resource"):
        update(aws, "lost", GROUPS[1])  # plain moto says nothing, and changes nothing
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="lost")["logGroups"]
    assert [group.get("retentionInDays") for group in groups] == [7]


def test_metadata_changes_nothing(aws: Cloud) -> None:
    plain = json.dumps({"Resources": GROUPS[0]})
    with_path = {"Group": {**GROUPS[0]["Group"], "Metadata": {"aws:cdk:path": "app/stack/group"}}}
    for name in ("same", "moto-same"):
        aws.client("cloudformation").create_stack(StackName=name, TemplateBody=plain)
    update(aws, "same", with_path)
    with moto_as_shipped("ResourceMap.build_resource_diff"), pytest.raises(ClientError, match="does not update Group"):
        update(aws, "moto-same", with_path)


@pytest.mark.usefixtures("aws")
def test_names_are_the_same_in_every_cloud() -> None:
    name, again = (parsing.generate_resource_name("AWS::S3::Bucket", "stack", "Logical") for _ in range(2))
    assert name == again
    assert re.fullmatch(r"stack-logical-[a-z2-7]{12}", name)
    assert parsing.generate_resource_name("AWS::IAM::Role", "stack", "Logical").startswith("stack-Logical-")
    with moto_as_shipped("cloudformation.parsing.generate_resource_name"):
        assert len({parsing.generate_resource_name("AWS::S3::Bucket", "stack", "Logical") for _ in range(2)}) == 2


def test_parameters_left_at_their_default_can_be_left_again(aws: Cloud) -> None:
    template = {"Resources": GROUPS[0], "Parameters": {"BootstrapVersion": {"Type": "String", "Default": "d"}}}
    aws.client("cloudformation").create_stack(StackName="left", TemplateBody=json.dumps(template))
    more = {**GROUPS[0], "Queue": {"Type": "AWS::SQS::Queue"}}
    with moto_as_shipped("CloudFormationBackend._resolve_update_parameters"), pytest.raises(KeyError):
        update(aws, "left", more, BootstrapVersion="d")
    update(aws, "left", more, BootstrapVersion="d")


def test_a_template_is_read_as_json(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = yaml.load

    def load(text: str, **named: Any) -> Any:
        read.append(text)
        return original(text, **named)

    monkeypatch.setattr(yaml, "load", load)
    resources = {"Queue": {"Type": "AWS::SQS::Queue"}}
    create(aws, resources)
    ours = len(read)
    with moto_as_shipped("cloudformation.models.yaml"):
        create(aws, resources)
    assert len(read) > 2 * ours


@pytest.mark.parametrize("operation", ["get_template_summary", "validate_template", "create_stack"])
def test_no_template_runs_python(aws: Cloud, operation: str, tmp_path: Path) -> None:
    """Reading a template is no reason to run what is written in it, not even to describe it."""
    proof = tmp_path / "ran"
    call = f"!!python/object/apply:os.mkdir [{proof}]"
    body = f"Resources: {{}}\nDescription: {call}\n"
    named = {"StackName": "hostile"} if operation == "create_stack" else {}
    with contextlib.suppress(ClientError):
        getattr(aws.client("cloudformation"), operation)(TemplateBody=body, **named)
    assert not proof.exists()


def test_moto_runs_the_python_of_a_template(aws: Cloud, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    call = f"!!python/object/apply:os.mkdir [{proof}]"
    with moto_as_shipped("cloudformation.responses.yaml"), contextlib.suppress(Exception):
        aws.client("cloudformation").get_template_summary(TemplateBody=f"Resources: {{}}\nDescription: {call}\n")
    assert proof.exists()


def test_a_yaml_template_has_short_forms(aws: Cloud) -> None:
    body = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\nOutputs:\n  Name:\n    Value: !GetAtt Queue.QueueName\n"
    aws.client("cloudformation").create_stack(StackName="short", TemplateBody=body)
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="short")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"].startswith("short-Queue-")


def test_a_yaml_template_still_works(aws: Cloud) -> None:
    body = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
    aws.client("cloudformation").create_stack(StackName="in-yaml", TemplateBody=body)


def test_every_supported_type_has_a_class() -> None:
    assert set(models()) == SUPPORTED
    assert not MOTO_TYPES & set(ADDED_TYPES)


def test_the_list_does_not_depend_on_what_was_imported_before() -> None:
    module = "personalize_local.aws.cloudformation.templates"
    code = f"from {module} import models, SUPPORTED; assert set(models()) == SUPPORTED"
    subprocess.run([sys.executable, "-c", code], check=True)
