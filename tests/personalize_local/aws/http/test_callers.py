"""Callers: what the deployer may do over HTTP, what anybody else may, and that no road to running code is open."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.loaders
import pytest
import urllib3
from botocore.exceptions import ClientError
from moto.backends import list_of_moto_modules

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.http import callers
from personalize_local.aws.http.callers import SERVED, may_use
from personalize_local.cloud import Cloud

ROLE = "arn:aws:iam::123456789012:role/anyone"
ASSETS = "cdk-hnb659fds-assets-123456789012-us-east-1"
ECHO = json.dumps({"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}})
HANDLER = "def handler(event, context):\n    return 'ran'\n"


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("code.py", HANDLER)
    return buffer.getvalue()


FUNCTION = {
    "FunctionName": "f",
    "Runtime": "python3.14",
    "Role": ROLE,
    "Handler": "code.handler",
    "Code": {"ZipFile": archive()},
}
Client = Callable[[str], Any]
# moto takes three of the names for S3, and closes two to the network by other means.
NOT_SERVED = sorted(
    {*list_of_moto_modules()} - SERVED - {"s3bucket_path", "s3control", "moto_api", "instance_metadata"}
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=3600) as running:
        running.client("iam").create_role(RoleName="anyone", AssumeRolePolicyDocument="{}")
        running.client("lambda").create_function(**{**FUNCTION, "FunctionName": "deployed"})
        running.client("s3").create_bucket(Bucket=ASSETS)
        running.client("s3").put_object(Bucket=ASSETS, Key="code.zip", Body=b"code")
        running.client("stepfunctions").create_state_machine(name="deployed", definition=ECHO, roleArn=ROLE)
        yield running


def signing(cloud: Cloud, access_key: str, secret: str, **more: Any) -> Client:
    keys = {"aws_access_key_id": access_key, "aws_secret_access_key": secret, **more}
    return lambda service: boto3.client(service, "us-east-1", endpoint_url=cloud.endpoint, **keys)  # type: ignore[call-overload]


@pytest.fixture
def anybody(cloud: Cloud) -> Client:
    return signing(cloud, "test", "test")


@pytest.fixture
def deployer(cloud: Cloud) -> Client:
    return signing(cloud, cloud.environment["AWS_ACCESS_KEY_ID"], cloud.environment["AWS_SECRET_ACCESS_KEY"])


ANY_OPERATION: dict[str, Any] = {
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:lambda:createFunction", "RoleArn": ROLE, "Input": "{}"},
}
ROADS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lambda", "create_function", FUNCTION),
    ("lambda", "update_function_code", {"FunctionName": "deployed", "ZipFile": archive()}),
    ("lambda", "update_function_configuration", {"FunctionName": "deployed", "Handler": "subprocess.getoutput"}),
    ("lambda", "publish_layer_version", {"LayerName": "l", "Content": {"ZipFile": archive()}}),
    ("lambda", "create_event_source_mapping", {"FunctionName": "deployed", "EventSourceArn": "arn:aws:sqs:x:y:z"}),
    ("lambda", "delete_function", {"FunctionName": "deployed"}),
    ("cloudformation", "create_stack", {"StackName": "s", "TemplateBody": '{"Resources": {}}'}),
    ("cloudformation", "get_template_summary", {"TemplateBody": '{"Resources": {}}'}),
    ("cloudformation", "validate_template", {"TemplateBody": '{"Resources": {}}'}),
    ("cloudformation", "create_change_set", {"StackName": "s", "ChangeSetName": "c", "TemplateBody": "{}"}),
    ("stepfunctions", "create_state_machine", {"name": "m", "definition": ECHO, "roleArn": ROLE}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
    ("iam", "put_role_policy", {"RoleName": "anyone", "PolicyName": "p", "PolicyDocument": "{}"}),
    ("iam", "create_access_key", {"UserName": "u"}),
    ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "session"}),
    ("events", "put_rule", {"Name": "r", "ScheduleExpression": "rate(1 minute)"}),
    ("scheduler", "create_schedule_group", {"Name": "g"}),
    ("scheduler", "create_schedule", {"Name": "s", "ScheduleExpression": "rate(1 minute)", **ANY_OPERATION}),
    ("scheduler", "update_schedule", {"Name": "s", "ScheduleExpression": "rate(1 minute)", **ANY_OPERATION}),
    ("sns", "create_topic", {"Name": "t"}),
    ("cloudwatch", "put_dashboard", {"DashboardName": "d", "DashboardBody": "{}"}),
    ("ssm", "put_parameter", {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "1", "Type": "String"}),
    ("ssm", "delete_parameter", {"Name": "/cdk-bootstrap/hnb659fds/version"}),
    ("ssm", "delete_parameters", {"Names": ["/ours", "/cdk-bootstrap/hnb659fds/version"]}),
    ("s3", "put_object", {"Bucket": ASSETS, "Key": "code.zip", "Body": b"other"}),
    ("s3", "copy_object", {"Bucket": ASSETS, "Key": "code.zip", "CopySource": f"{ASSETS}/other"}),
    ("s3", "create_multipart_upload", {"Bucket": ASSETS, "Key": "code.zip"}),
    ("s3", "delete_object", {"Bucket": ASSETS, "Key": "code.zip"}),
    ("s3", "delete_objects", {"Bucket": ASSETS, "Delete": {"Objects": [{"Key": "code.zip"}]}}),
    ("s3", "put_bucket_policy", {"Bucket": ASSETS, "Policy": "{}"}),
    ("s3", "create_bucket", {"Bucket": "cdk-other-assets-1"}),
)


@pytest.mark.parametrize(("service", "operation", "asked"), ROADS)
def test_no_road_to_running_code_is_open_to_anybody(
    cloud: Cloud, anybody: Client, service: str, operation: str, asked: dict[str, Any]
) -> None:
    client = anybody(service)
    with pytest.raises(ClientError, match=r"AccessDenied.*only who deploy") as caught:
        getattr(client, operation)(**asked)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "docs/security.md" in caught.value.response["Error"]["Message"]
    assert [each["FunctionName"] for each in cloud.client("lambda").list_functions()["Functions"]] == ["deployed"]
    assert cloud.client("s3").get_object(Bucket=ASSETS, Key="code.zip")["Body"].read() == b"code"


def test_the_secret_is_what_counts_not_the_name(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        signing(cloud, "local", "local")("lambda").create_function(**FUNCTION)


def test_the_deployer_may_do_all(deployer: Client) -> None:
    deployer("lambda").create_function(**{**FUNCTION, "FunctionName": "made"})
    answer = deployer("lambda").invoke(FunctionName="made")
    assert json.loads(answer["Payload"].read()) == "ran"
    deployer("lambda").delete_function(FunctionName="made")
    deployer("s3").put_object(Bucket=ASSETS, Key="more.zip", Body=b"more")
    body = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
    deployer("cloudformation").create_stack(StackName="made", TemplateBody=body)


def test_a_session_of_the_deployer_is_the_deployer(cloud: Cloud, deployer: Client) -> None:
    """The CDK's command line assumes the roles of the bootstrap stack before it deploys."""
    made = deployer("sts").assume_role(RoleArn=ROLE, RoleSessionName="cdk")["Credentials"]
    session = signing(cloud, made["AccessKeyId"], made["SecretAccessKey"], aws_session_token=made["SessionToken"])
    session("s3").put_object(Bucket=ASSETS, Key="session.zip", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        signing(cloud, made["AccessKeyId"], "guess")("s3").put_object(Bucket=ASSETS, Key="session.zip", Body=b"y")


def test_anybody_uses_what_is_deployed(anybody: Client) -> None:
    """What existing programs do with keys of their own goes on working."""
    s3 = anybody("s3")
    s3.create_bucket(Bucket="anybodys")
    s3.put_object(Bucket="anybodys", Key="k", Body=b"x")
    assert s3.get_object(Bucket=ASSETS, Key="code.zip")["Body"].read() == b"code"
    assert json.loads(anybody("lambda").invoke(FunctionName="deployed")["Payload"].read()) == "ran"
    (machine,) = anybody("stepfunctions").list_state_machines()["stateMachines"]
    anybody("stepfunctions").start_execution(stateMachineArn=machine["stateMachineArn"])
    url = anybody("sqs").create_queue(QueueName="anybodys")["QueueUrl"]
    anybody("sqs").send_message(QueueUrl=url, MessageBody="x")
    anybody("events").put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])
    anybody("personalize").create_dataset_group(name="anybodys")
    anybody("sts").get_caller_identity()
    anybody("iam").get_role(RoleName="anyone")
    anybody("logs").describe_log_groups()
    anybody("cloudformation").describe_stacks()


def post(cloud: Cloud, service: str, path: str, body: str, **headers: str) -> urllib3.BaseHTTPResponse:
    scope = f"Credential=test/20261125/us-east-1/{service}/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0", **headers}
    return urllib3.PoolManager().request("POST", cloud.endpoint + path, body=body, headers=signed)


@pytest.mark.parametrize("path", ["/?Action=ListRoles", "/?Action=CreateRole", "/"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_saying_it_twice_does_not_help(cloud: Cloud, path: str, kind: str) -> None:
    """An operation can be named in three places; the one that counts is the one that moto runs."""
    body = "Action=CreateRole&RoleName=smuggled&AssumeRolePolicyDocument=%7B%7D&Version=2010-05-08"
    post(cloud, "iam", path, body, **{"Content-Type": kind, "X-Amz-Target": "IAM.ListRoles"})
    post(cloud, "lambda", "/2015-03-31/functions/deployed/invocations", body.replace("Role", "Function"))
    assert [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]] == ["anyone"]
    assert [each["FunctionName"] for each in cloud.client("lambda").list_functions()["Functions"]] == ["deployed"]


@pytest.mark.parametrize(
    "path", ["/moto-api/reset", "/moto-api/config", "/moto-api/", "/moto-api/recorder/start-recording", "/favicon.ico"]
)
@pytest.mark.parametrize("service", ["s3", "iam"])
def test_motos_own_routes_are_closed(cloud: Cloud, path: str, service: str) -> None:
    refused = post(cloud, service, path, "{}")
    assert (refused.status, b"does not serve" in refused.data) == (403, True)
    assert cloud.client("lambda").list_functions()["Functions"]


@pytest.mark.parametrize("service", NOT_SERVED)
def test_services_that_nobody_needs_are_not_served(cloud: Cloud, service: str) -> None:
    answer = post(cloud, service, "/", "{}", **{"X-Amz-Target": "Some_20200101.ListThings"})
    assert (answer.status, b"does not serve" in answer.data) == (403, True)


def test_what_the_local_user_may_do_are_operations_of_aws() -> None:
    """A fact, told by botocore: a name that is misspelt here would allow nothing, or something else."""
    loader = botocore.loaders.Loader()
    names = {"awslambda": "lambda"}
    for service, operations in callers.LOCAL_USER.items():
        model = loader.load_service_model(names.get(service, service), "service-2")
        known = {botocore.xform_name(name) for name in model["operations"]}
        assert operations <= known, service


def test_no_operation_that_changes_anything_looks_like_reading() -> None:
    """Everything of the guarded services that begins like a reading operation, beside Get, List and Describe."""
    loader = botocore.loaders.Loader()
    names = {"awslambda": "lambda", "resourcegroupstaggingapi": "resourcegroupstaggingapi"}
    changing = ("create", "update", "put", "delete", "publish", "add", "remove", "attach", "tag", "set", "execute")
    for service in SERVED - callers.WHOLLY_OPEN:
        model = loader.load_service_model(names.get(service, service), "service-2")
        for operation in map(botocore.xform_name, model["operations"]):
            if operation.startswith(changing) and operation not in callers.LOCAL_USER.get(service, ()):
                assert not may_use(service, operation)


def test_plain_moto_lets_everybody_make_functions(cloud: Cloud, anybody: Client) -> None:
    with moto_as_shipped("ActionAuthenticatorMixin._authenticate_and_authorize_normal_action"):
        anybody("lambda").create_function(**FUNCTION)
    cloud.client("lambda").delete_function(FunctionName="f")


def test_plain_moto_lets_everybody_exchange_assets(cloud: Cloud, anybody: Client) -> None:
    with moto_as_shipped("ActionAuthenticatorMixin._authenticate_and_authorize_s3_action"):
        anybody("s3").put_object(Bucket=ASSETS, Key="plain.zip", Body=b"x")
    assert cloud.client("s3").head_object(Bucket=ASSETS, Key="plain.zip")
