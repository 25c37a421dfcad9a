"""The guard of the endpoint: what it reads from requests, how it reads policies, and that handlers meet it."""

import io
import json
import re
import textwrap
import urllib.parse
import zipfile
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest

from personalize_local.aws.iam.authorization import is_allowed
from personalize_local.aws.iam.required_permissions import (
    RequiredPermission,
    SignedRequest,
    UnreadableRequestError,
    required_permissions,
)
from personalize_local.cloud import Cloud

ACCOUNT = "us-east-1:123456789012"
TABLE = f"arn:aws:dynamodb:{ACCOUNT}:table/ledger"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter"
TOPIC = "arn:aws:sns:us-east-1:123456789012:notices"
MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:pipeline"
GROUP = f"arn:aws:personalize:{ACCOUNT}:dataset-group/movies"
SOLUTION = f"arn:aws:personalize:{ACCOUNT}:solution/movies"
CAMPAIGN = f"arn:aws:personalize:{ACCOUNT}:campaign/movies"
ROLE = "arn:aws:iam::123456789012:role/data"
OBJECT = "arn:aws:s3:::bucket/uploads/a file.csv"
KEY = {"Bucket": "bucket", "Key": "uploads/a file.csv"}


def sent(service: str, operation: str, **parameters: Any) -> SignedRequest:
    """Return what botocore would send."""
    session = botocore.session.get_session()
    session.set_credentials("any", "any")
    client = session.create_client(service, "us-east-1", endpoint_url="http://127.0.0.1:1")
    caught: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: Any) -> None:
        caught.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", catch)
    with pytest.raises(InterruptedError):
        getattr(client, operation)(**parameters)
    return _request(caught[0])


def _request(prepared: AWSPreparedRequest) -> SignedRequest:
    url = urllib.parse.urlsplit(str(prepared.url))
    headers = {name.lower(): v.decode() if isinstance(v, bytes) else v for name, v in prepared.headers.items()}
    return SignedRequest(
        service=headers["authorization"].split("/")[3],
        method=str(prepared.method),
        path=urllib.parse.unquote(url.path),
        query=dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=prepared.body if isinstance(prepared.body, bytes) else str(prepared.body or "").encode(),
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("s3", "get_object", KEY, [RequiredPermission("s3:GetObject", OBJECT)]),
        ("s3", "get_object", {**KEY, "VersionId": "1"}, [RequiredPermission("s3:GetObjectVersion", OBJECT)]),
        (
            "s3",
            "put_object_tagging",
            {**KEY, "VersionId": "1", "Tagging": {"TagSet": []}},
            [RequiredPermission("s3:PutObjectVersionTagging", OBJECT)],
        ),
        ("s3", "get_object_tagging", KEY, [RequiredPermission("s3:GetObjectTagging", OBJECT)]),
        ("s3", "head_object", KEY, [RequiredPermission("s3:GetObject", OBJECT)]),
        ("s3", "put_object", {**KEY, "Body": b"x"}, [RequiredPermission("s3:PutObject", OBJECT)]),
        ("s3", "list_buckets", {}, [RequiredPermission("s3:ListAllMyBuckets", "*")]),
        ("s3", "list_objects_v2", {"Bucket": "bucket"}, [RequiredPermission("s3:ListBucket", "arn:aws:s3:::bucket")]),
        (
            "s3",
            "list_object_versions",
            {"Bucket": "bucket"},
            [RequiredPermission("s3:ListBucketVersions", "arn:aws:s3:::bucket")],
        ),
        (
            "s3",
            "copy_object",
            {**KEY, "CopySource": {"Bucket": "bucket", "Key": "b c", "VersionId": "1"}},
            [
                RequiredPermission("s3:PutObject", OBJECT),
                RequiredPermission("s3:GetObjectVersion", "arn:aws:s3:::bucket/b c"),
            ],
        ),
        ("s3", "create_multipart_upload", KEY, [RequiredPermission("s3:PutObject", OBJECT)]),
        ("s3", "upload_part", {**KEY, "UploadId": "1", "PartNumber": 1}, [RequiredPermission("s3:PutObject", OBJECT)]),
        (
            "s3",
            "abort_multipart_upload",
            {**KEY, "UploadId": "1"},
            [RequiredPermission("s3:AbortMultipartUpload", OBJECT)],
        ),
        ("dynamodb", "get_item", {"TableName": "ledger", "Key": {}}, [RequiredPermission("dynamodb:GetItem", TABLE)]),
        (
            "dynamodb",
            "query",
            {"TableName": "ledger", "IndexName": "open"},
            [RequiredPermission("dynamodb:Query", f"{TABLE}/index/open")],
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"ledger": {"Keys": [{"dataset": {"S": "movies"}}]}}},
            [RequiredPermission("dynamodb:BatchGetItem", TABLE)],
        ),
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "ledger", "Item": {}}}]},
            [RequiredPermission("dynamodb:PutItem", TABLE)],
        ),
        (
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": MACHINE},
            [RequiredPermission("states:StartExecution", MACHINE)],
        ),
        ("sns", "publish", {"TopicArn": TOPIC, "Message": "x"}, [RequiredPermission("sns:Publish", TOPIC)]),
        (
            "ssm",
            "get_parameters_by_path",
            {"Path": "/a/b/"},
            [RequiredPermission("ssm:GetParametersByPath", f"{PARAMETER}/a/b")],
        ),
        (
            "ssm",
            "delete_parameters",
            {"Names": ["/a/b"]},
            [RequiredPermission("ssm:DeleteParameters", f"{PARAMETER}/a/b")],
        ),
        ("ssm", "get_parameter", {"Name": "plain"}, [RequiredPermission("ssm:GetParameter", f"{PARAMETER}/plain")]),
        ("personalize", "list_schemas", {}, [RequiredPermission("personalize:ListSchemas", "*")]),
        (
            "personalize",
            "describe_dataset_group",
            {"datasetGroupArn": GROUP},
            [RequiredPermission("personalize:DescribeDatasetGroup", GROUP)],
        ),
        (
            "personalize",
            "create_dataset_group",
            {"name": "movies", "roleArn": ROLE, "tags": [{"tagKey": "a", "tagValue": "b"}]},
            [
                RequiredPermission("personalize:CreateDatasetGroup", GROUP),
                RequiredPermission("iam:PassRole", ROLE, passed_to="personalize.amazonaws.com"),
                RequiredPermission("personalize:TagResource", GROUP),
            ],
        ),
        (
            "personalize",
            "create_solution",
            {"name": "movies", "datasetGroupArn": GROUP},
            [
                RequiredPermission("personalize:CreateSolution", SOLUTION),
                RequiredPermission("personalize:CreateSolution", GROUP),
            ],
        ),
        (
            "personalize",
            "create_dataset",
            {"name": "any", "datasetGroupArn": GROUP, "datasetType": "Items", "schemaArn": "arn:any"},
            [
                RequiredPermission("personalize:CreateDataset", f"arn:aws:personalize:{ACCOUNT}:dataset/movies/ITEMS"),
                RequiredPermission("personalize:CreateDataset", GROUP),
            ],
        ),
        (
            "personalize",
            "create_solution_version",
            {"name": "monday", "solutionArn": SOLUTION},
            [RequiredPermission("personalize:CreateSolutionVersion", SOLUTION)],
        ),
        (
            "personalize",
            "update_campaign",
            {"solutionVersionArn": f"{SOLUTION}/1", "campaignArn": CAMPAIGN},
            [RequiredPermission("personalize:UpdateCampaign", CAMPAIGN)],
        ),
        (
            "personalize",
            "get_solution_metrics",
            {"solutionVersionArn": f"{SOLUTION}/1"},
            [RequiredPermission("personalize:GetSolutionMetrics", f"{SOLUTION}/1")],
        ),
    ],
)
def test_a_request_asks_leave_for(
    service: str, operation: str, parameters: dict[str, Any], expected: list[RequiredPermission]
) -> None:
    """A fact: the actions and resources that AWS's Service Authorization Reference names for these operations."""
    assert list(required_permissions(sent(service, operation, **parameters))) == expected


def test_a_request_that_cannot_be_read_is_not_waved_through() -> None:
    with pytest.raises(UnreadableRequestError, match="sts"):
        list(required_permissions(SignedRequest("sts", "POST", "/", {}, {}, b"{}")))


READ = {"Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket"], "Resource": "arn:aws:s3:::bucket/uploads/*"}


@pytest.mark.parametrize(
    ("statements", "permission", "allowed"),
    [
        ([READ], RequiredPermission("s3:GetObject", OBJECT), True),
        ([READ], RequiredPermission("S3:getobject", OBJECT), True),
        ([READ], RequiredPermission("s3:PutObject", OBJECT), False),
        ([READ], RequiredPermission("s3:GetObject", "arn:aws:s3:::bucket/results/x"), False),
        ([], RequiredPermission("s3:GetObject", OBJECT), False),
        ([READ, {**READ, "Effect": "Deny", "Resource": "*"}], RequiredPermission("s3:GetObject", OBJECT), False),
    ],
)
def test_policies_are_read_as_iam_reads_them(
    statements: list[Any], permission: RequiredPermission, *, allowed: bool
) -> None:
    """A fact: implicit denial, wildcards, actions without regard to case, an explicit denial wins."""
    assert is_allowed(permission, statements) is allowed


def test_a_role_is_passed_only_to_the_service_it_is_for() -> None:
    to_personalize = {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE, "Condition": to_personalize}
    assert is_allowed(RequiredPermission("iam:PassRole", ROLE, passed_to="personalize.amazonaws.com"), [statement])
    assert not is_allowed(RequiredPermission("iam:PassRole", ROLE, passed_to="ec2.amazonaws.com"), [statement])


def test_a_condition_nobody_taught_it_is_not_ignored() -> None:
    statement = {**READ, "Condition": {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}}
    with pytest.raises(NotImplementedError, match="DateLessThan"):
        is_allowed(RequiredPermission("s3:GetObject", OBJECT), [statement])


HANDLER = textwrap.dedent("""
    import boto3

    def handler(event, _context):
        try:
            boto3.client(event["service"]).__getattribute__(event["operation"])(**event["parameters"])
        except Exception as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return "done"
""")


@pytest.fixture
def function(bare_cloud: Cloud) -> str:
    """Return the name of a deployed function that may list schemas and read uploads."""
    iam = bare_cloud.client("iam")
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    lists = {"Effect": "Allow", "Action": "personalize:ListSchemas", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [lists, READ]}
    iam.put_role_policy(RoleName="reader", PolicyName="reading", PolicyDocument=json.dumps(policy))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("asking.py", HANDLER)
    bare_cloud.client("lambda").create_function(
        FunctionName="asking",
        Runtime="python3.14",
        Role=role,
        Handler="asking.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return "asking"


def call(cloud: Cloud, function: str, service: str, operation: str, **parameters: Any) -> str:
    payload = json.dumps({"service": service, "operation": operation, "parameters": parameters})
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=payload)
    return str(json.loads(answer["Payload"].read()))


def test_a_handler_may_do_what_its_role_allows(bare_cloud: Cloud, function: str) -> None:
    bare_cloud.client("s3").create_bucket(Bucket="bucket")
    bare_cloud.client("s3").put_object(Bucket="bucket", Key="uploads/a file.csv", Body=b"x")
    assert call(bare_cloud, function, "personalize", "list_schemas") == "done"
    assert call(bare_cloud, function, "s3", "get_object", **KEY) == "done"


def test_a_handler_may_not_do_what_its_role_does_not_allow(bare_cloud: Cloud, function: str) -> None:
    refused = call(bare_cloud, function, "personalize", "create_dataset_group", name="movies")
    assert re.fullmatch(
        r"AccessDeniedException: User: reader is not authorized to perform: personalize:CreateDatasetGroup on .*",
        refused,
    )
    assert bare_cloud.client("personalize").list_dataset_groups()["datasetGroups"] == []
    assert call(bare_cloud, function, "s3", "put_object", **KEY).startswith("AccessDenied: User: reader")


def test_who_may_not_list_a_bucket_is_not_told_what_it_lacks(bare_cloud: Cloud, function: str) -> None:
    """A fact: S3 answers 403 for a missing key to a caller without s3:ListBucket, 404 to one with it."""
    bare_cloud.client("s3").create_bucket(Bucket="bucket")
    assert call(bare_cloud, function, "s3", "get_object", **KEY).startswith("AccessDenied:")
    assert call(bare_cloud, function, "s3", "head_object", **KEY).startswith("403:")
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [READ, listing]})
    bare_cloud.client("iam").put_role_policy(RoleName="reader", PolicyName="reading", PolicyDocument=policy)
    assert call(bare_cloud, function, "s3", "get_object", **KEY).startswith("NoSuchKey:")
    assert call(bare_cloud, function, "s3", "head_object", **KEY).startswith("404:")


def test_the_owner_of_the_cloud_may_do_all(bare_cloud: Cloud) -> None:
    assert bare_cloud.client("personalize").create_dataset_group(name="movies")["datasetGroupArn"]
