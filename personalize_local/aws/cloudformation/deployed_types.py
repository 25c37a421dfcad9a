"""Make resources from the properties of a template, where moto has no way or a wrong one.

A type is a function from properties to a resource, called again when a stack is updated. moto's own types are used
where they are right; whatever is in neither list is refused.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import moto.cloudformation.models
from moto.awslambda.models import lambda_backends
from moto.cloudformation.exceptions import ValidationError
from moto.s3.models import FakeBucket
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from personalize_local.aws.cloudformation.messaging_types import schedule, schedule_group, subscription, topic
from personalize_local.aws.cloudformation.policy_types import managed_policy
from personalize_local.aws.cloudformation.stack_resources import (
    Properties,
    RemovableResource,
    ResourceContext,
    StackResource,
)


def bucket(properties: Properties, context: ResourceContext) -> Any:
    """Make a bucket, versioned if asked, and telling EventBridge if asked."""
    made = context.existing or FakeBucket.create_from_cloudformation_json(
        context.name, {"Properties": properties}, context.account, context.region
    )
    s3 = context.client("s3")
    if status := properties.get("VersioningConfiguration", {}).get("Status"):
        s3.put_bucket_versioning(Bucket=context.name, VersioningConfiguration={"Status": status})
    notifications = dict(properties.get("NotificationConfiguration", {}))
    if notifications.pop("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
        configuration: dict[str, Any] = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=context.name, NotificationConfiguration=configuration)
    if notifications:
        raise ValidationError(
            message=f"The local cloud supports bucket events by EventBridge only, not {notifications}"
        )
    return made


def bucket_policy(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Give a bucket its policy."""
    s3, name = context.client("s3"), properties["Bucket"]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(properties["PolicyDocument"]))
    return RemovableResource(name, lambda: s3.delete_bucket_policy(Bucket=name))


def queue_policy(properties: Properties, context: ResourceContext) -> StackResource:
    """Keep the policy with its queues; nobody is refused."""
    for url in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        context.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return StackResource(context.name)


def alarm(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Keep an alarm; it is never evaluated."""
    name = properties.get("AlarmName", context.name)
    cloudwatch = context.client("cloudwatch")
    cloudwatch.put_metric_alarm(**{**properties, "AlarmName": name})
    arn = context.arn("cloudwatch", f"alarm:{name}")
    return RemovableResource(name, lambda: cloudwatch.delete_alarms(AlarmNames=[name]), Arn=arn)


def function(properties: Properties, context: ResourceContext) -> Any:
    """Make a function with all its properties; layers of other accounts (AWS's public ones) are left out."""
    own_layers = [arn for arn in properties.get("Layers", []) if arn.split(":")[4] == context.account]
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    spec = {**properties, "FunctionName": context.name, "Layers": own_layers, "Tags": tags}
    if "ZipFile" in properties["Code"]:
        archive = moto.awslambda.models.LambdaFunction._create_zipfile_from_plaintext_code(  # noqa: SLF001 - inline code
            properties["Code"]["ZipFile"]
        )
        spec["Code"] = {"ZipFile": base64.b64encode(archive)}
    made = lambda_backends[context.account][context.region].create_function(spec)
    made.code_or_config_updated = context.existing is not None  # so that the next version is a new one
    return made


def function_version(properties: Properties, context: ResourceContext) -> StackResource:
    """Publish a version of a function as it is now; `Ref` is the version's ARN. Like AWS, none twice of the same."""
    function_name, description = properties["FunctionName"], properties.get("Description", "")
    published = context.client("lambda").publish_version(FunctionName=function_name, Description=description)
    arn, version = published["FunctionArn"], published["Version"]
    return StackResource(arn, FunctionArn=arn, Version=version)


def layer_version(properties: Properties, context: ResourceContext) -> StackResource:
    """Publish a layer; `Ref` is the ARN of its version."""
    spec = {"LayerName": context.name, **properties}
    published = lambda_backends[context.account][context.region].publish_layer_version(spec)
    return StackResource(published.arn, LayerVersionArn=published.arn)


def state_machine(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Make a state machine in the backend that runs them, its tokens replaced."""
    definition = _definition(properties, context)
    for token, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{token}}}", str(value))
    backend = stepfunctions_parser_backends[context.account][context.region]
    made = backend.create_state_machine(
        name=context.name,
        definition=definition,
        roleArn=properties["RoleArn"],
        tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])],
        sm_type=properties.get("StateMachineType", "STANDARD"),
    )
    if context.existing is not None:
        backend.update_state_machine(made.arn, definition, properties["RoleArn"])
    return RemovableResource(made.arn, lambda: backend.delete_state_machine(made.arn), Arn=made.arn, Name=made.name)


def _definition(properties: Properties, context: ResourceContext) -> str:
    if "DefinitionString" in properties:
        return str(properties["DefinitionString"])
    if "Definition" in properties:
        return json.dumps(properties["Definition"])
    where = properties["DefinitionS3Location"]
    body = context.client("s3").get_object(Bucket=where["Bucket"], Key=where["Key"])["Body"]
    return str(body.read().decode())


def key(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Make a KMS key, or give one its new policy; nothing is encrypted with it."""
    kms, policy = context.client("kms"), json.dumps(properties["KeyPolicy"])
    if context.existing is None:
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        made = kms.create_key(Policy=policy, Description=properties.get("Description", ""), Tags=tags)
        key_id = made["KeyMetadata"]["KeyId"]
    else:
        key_id = context.existing.physical_resource_id
        kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
    rotate = kms.enable_key_rotation if properties.get("EnableKeyRotation") else kms.disable_key_rotation
    rotate(KeyId=key_id)

    def take_out() -> None:
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=properties.get("PendingWindowInDays", 30))

    return RemovableResource(key_id, take_out, Arn=context.arn("kms", f"key/{key_id}"), KeyId=key_id)


def nothing(_: Properties, context: ResourceContext) -> StackResource:
    """Stand for a resource that has no effect on a cloud of one account."""
    return StackResource(context.name)


@dataclass(frozen=True)
class AddedType:
    """A resource type that moto lacks or gets wrong: how it is made, and the property that names it, if one does."""

    make: Callable[[Properties, ResourceContext], Any]
    name_property: str = ""


ADDED_TYPES = {
    "AWS::CDK::Metadata": AddedType(nothing),
    "AWS::CloudFormation::WaitConditionHandle": AddedType(nothing),
    "AWS::CloudWatch::Alarm": AddedType(alarm, "AlarmName"),
    "AWS::IAM::ManagedPolicy": AddedType(managed_policy, "ManagedPolicyName"),
    "AWS::KMS::Key": AddedType(key),
    "AWS::Lambda::Function": AddedType(function, "FunctionName"),
    "AWS::Lambda::Version": AddedType(function_version),
    "AWS::Lambda::LayerVersion": AddedType(layer_version, "LayerName"),
    "AWS::S3::Bucket": AddedType(bucket, "BucketName"),
    "AWS::S3::BucketPolicy": AddedType(bucket_policy),
    "AWS::SNS::Subscription": AddedType(subscription),
    "AWS::SNS::Topic": AddedType(topic, "TopicName"),
    "AWS::SNS::TopicPolicy": AddedType(nothing),
    "AWS::Scheduler::Schedule": AddedType(schedule, "Name"),
    "AWS::Scheduler::ScheduleGroup": AddedType(schedule_group, "Name"),
    "AWS::SQS::QueuePolicy": AddedType(queue_policy),
    "AWS::StepFunctions::StateMachine": AddedType(state_machine, "StateMachineName"),
}
# moto's own, tried and found right for what templates of this project use.
MOTO_TYPES = frozenset(
    {
        "AWS::CloudWatch::Dashboard",
        "AWS::DynamoDB::Table",
        "AWS::ECR::Repository",  # part of the CDK's bootstrap stack
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
    }
)
SUPPORTED = frozenset(ADDED_TYPES) | MOTO_TYPES
