"""Encrypt a stage with one KMS key: on every resource that takes a key, with leave for whoever reads or writes it.

Whoever acts in the account, handlers and the data role, is given leave by its own policies, and only by way of the
service that holds the data. Services that act by themselves are given leave by the key's policy, each for what it
encrypts in this stage.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import Aws, CfnResource, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from config.settings import Settings
from stacks.permissions import Grant

CREATE: Final = "create"
_KEY: Final = "<the key>"

# Which properties encrypt a resource with a key of ours.
ENCRYPTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "AWS::DynamoDB::Table": {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": _KEY}},
    "AWS::Events::EventBus": {"KmsKeyIdentifier": _KEY},
    "AWS::Lambda::Function": {"KmsKeyArn": _KEY},
    "AWS::Logs::LogGroup": {"KmsKeyId": _KEY},
    "AWS::S3::Bucket": {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,  # one call of KMS for many objects
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": _KEY},
                }
            ]
        }
    },
    "AWS::SNS::Topic": {"KmsMasterKeyId": _KEY},
    "AWS::SQS::Queue": {"KmsMasterKeyId": _KEY, "SqsManagedSseEnabled": False},
}
# What takes a key and gets none.
NOT_ENCRYPTED: Final[Mapping[str, str]] = {
    "AWS::Lambda::EventSourceMapping": "The key is for filters, which may hold data; ours has none",
    "AWS::StepFunctions::StateMachine": "With a key, status events come without error and cause, which alarms and the "
    "bus hand on; an execution's data are names, ARNs and counts",
}

# What the data role does with the key, as Amazon Personalize documents it; CreateGrant is for the key's policy only.
_BY_ROLE: Final = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListGrants")
_BY_PERSONALIZE: Final = (*_BY_ROLE, "kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext")
_SEND: Final = ("kms:Decrypt", "kms:GenerateDataKey")
_READ_TABLE: Final = ("kms:Decrypt", "kms:DescribeKey")
_WRITE_TABLE: Final = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")


def make_key(scope: Construct, settings: Settings, data_role_arn: str, fate: RemovalPolicy) -> str | None:
    """Create the key of a stage, if it wants one, or take the one that it names; return its ARN."""
    if settings.kms_key != CREATE:
        return settings.kms_key
    key = kms.Key(
        scope,
        "Key",
        description=f"Everything that stage {settings.stage} of {settings.name} keeps",
        enable_key_rotation=True,
        removal_policy=fate,
    )
    for statement in key_policy(settings, data_role_arn):
        key.add_to_resource_policy(statement)
    return key.key_arn


def encrypt(root: IConstruct, key_arn: str) -> None:
    """Have everything below `root` that can be encrypted with the key encrypted with it."""
    for construct in root.node.find_all():
        if isinstance(construct, CfnResource):
            for name, value in ENCRYPTED.get(construct.cfn_resource_type, {}).items():
                construct.add_property_override(name, _with_key(value, key_arn))


def _with_key(value: Any, key_arn: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _with_key(member, key_arn) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_key(member, key_arn) for member in value]
    return key_arn if value == _KEY else value


def use_of_key(grant: Grant, key_arn: str) -> Iterator[iam.PolicyStatement]:
    """Yield leave to use the key for what a row of the grants table reads and writes."""
    s3 = {action for action in grant.actions if action.startswith(("s3:GetObject", "s3:PutObject"))}
    if s3:
        # A multipart upload is decrypted part by part as it is put together.
        writes = bool(s3 & {"s3:PutObject"})
        yield use_by(key_arn, "s3", *(_SEND if writes else ("kms:Decrypt",)))
    if "sns:Publish" in grant.actions:
        yield use_by(key_arn, "sns", *_SEND)
    table = {action.partition(":")[2] for action in grant.actions if action.startswith("dynamodb:")}
    if table:
        reads_only = table <= {"GetItem", "Query"}
        yield use_by(key_arn, "dynamodb", *_READ_TABLE, *(() if reads_only else _WRITE_TABLE))


def use_by(key_arn: str, service: str, *actions: str) -> iam.PolicyStatement:
    """Return leave to use the key by way of one service."""
    return iam.PolicyStatement(
        actions=list(actions),
        resources=[key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"}},
    )


def data_role_statement(key_arn: str) -> iam.PolicyStatement:
    """Return leave for the role that Personalize assumes."""
    return iam.PolicyStatement(actions=list(_BY_ROLE), resources=[key_arn])


def key_policy(settings: Settings, data_role_arn: str) -> Iterator[iam.PolicyStatement]:
    """Yield what the policy of a stage's key says, beside that the account's own policies count."""
    here = f"{Aws.REGION}:{Aws.ACCOUNT_ID}"
    own = f"{settings.name}-{settings.stage}"
    this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    yield _statement(iam.ArnPrincipal(data_role_arn), _BY_PERSONALIZE)
    yield _statement(iam.ServicePrincipal("personalize.amazonaws.com"), _BY_PERSONALIZE, this_account)
    logs = (f"/aws/lambda/{own}-*", f"/aws/vendedlogs/states/{own}-*")
    yield _statement(
        iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}"),
        (
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        _context("aws:logs:arn", *(f"arn:{Aws.PARTITION}:logs:{here}:log-group:{name}" for name in logs)),
    )
    events = iam.ServicePrincipal("events.amazonaws.com")
    yield _statement(events, _SEND, _context("aws:sqs:arn", f"arn:{Aws.PARTITION}:sqs:{here}:{own}-*"))
    bus = f"arn:{Aws.PARTITION}:events:{here}:event-bus/{own}-*"
    yield _statement(events, _SEND, _context("aws:events:event-bus:arn", bus))
    yield _statement(events, ("kms:DescribeKey",), this_account)
    topics = f"arn:{Aws.PARTITION}:sns:{here}:{own}-*"
    yield _statement(iam.ServicePrincipal("cloudwatch.amazonaws.com"), _SEND, _context("aws:sns:topicArn", topics))


def _statement(
    principal: iam.IPrincipal, actions: tuple[str, ...], conditions: Mapping[str, Any] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(principals=[principal], actions=list(actions), resources=["*"], conditions=conditions)


def _context(name: str, *patterns: str) -> dict[str, Any]:
    """Return the condition that the service names what it encrypts, and that it is ours."""
    return {"ArnLike": {f"kms:EncryptionContext:{name}": list(patterns)}}
