"""How resources are made from the properties of a template, where moto has no way or a wrong one.

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
from personalize_local.aws.cloudformation.stack_resources import Made, Place, Properties


def bucket(properties: Properties, place: Place) -> Any:
    """Make a bucket, versioned if asked, and telling EventBridge if asked."""
    made = place.existing or FakeBucket.create_from_cloudformation_json(
        place.name, {"Properties": properties}, place.account, place.region
    )
    s3 = place.client("s3")
    if status := properties.get("VersioningConfiguration", {}).get("Status"):
        s3.put_bucket_versioning(Bucket=place.name, VersioningConfiguration={"Status": status})
    notifications = dict(properties.get("NotificationConfiguration", {}))
    if notifications.pop("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
        configuration: dict[str, Any] = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=place.name, NotificationConfiguration=configuration)
    if notifications:
        raise ValidationError(
            message=f"The local cloud supports bucket events by EventBridge only, not {notifications}"
        )
    return made


def bucket_policy(properties: Properties, place: Place) -> Made:
    """Give a bucket its policy."""
    policy = json.dumps(properties["PolicyDocument"])
    place.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
    return Made(properties["Bucket"])


def queue_policy(properties: Properties, place: Place) -> Made:
    """Keep the policy with its queues; nobody is refused."""
    for url in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        place.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return Made(place.name)


def alarm(properties: Properties, place: Place) -> Made:
    """Keep an alarm; it is never evaluated."""
    name = properties.get("AlarmName", place.name)
    place.client("cloudwatch").put_metric_alarm(**{**properties, "AlarmName": name})
    return Made(name, Arn=place.arn("cloudwatch", f"alarm:{name}"))


def function(properties: Properties, place: Place) -> Any:
    """Make a function with all its properties; layers of other accounts (AWS's public ones) are left out."""
    own_layers = [arn for arn in properties.get("Layers", []) if arn.split(":")[4] == place.account]
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    spec = {**properties, "FunctionName": place.name, "Layers": own_layers, "Tags": tags}
    if "ZipFile" in properties["Code"]:
        archive = moto.awslambda.models.LambdaFunction._create_zipfile_from_plaintext_code(  # noqa: SLF001 - inline code
            properties["Code"]["ZipFile"]
        )
        spec["Code"] = {"ZipFile": base64.b64encode(archive)}
    return lambda_backends[place.account][place.region].create_function(spec)


def layer_version(properties: Properties, place: Place) -> Made:
    """Publish a layer; `Ref` is the ARN of its version."""
    spec = {"LayerName": place.name, **properties}
    published = lambda_backends[place.account][place.region].publish_layer_version(spec)
    return Made(published.arn, LayerVersionArn=published.arn)


def state_machine(properties: Properties, place: Place) -> Made:
    """Make a state machine in the backend that runs them, its tokens replaced."""
    definition = _definition(properties, place)
    for token, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{token}}}", str(value))
    backend = stepfunctions_parser_backends[place.account][place.region]
    made = backend.create_state_machine(
        name=place.name,
        definition=definition,
        roleArn=properties["RoleArn"],
        tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])],
        sm_type=properties.get("StateMachineType", "STANDARD"),
    )
    if place.existing is not None:
        backend.update_state_machine(made.arn, definition, properties["RoleArn"])
    return Made(made.arn, Arn=made.arn, Name=made.name)


def _definition(properties: Properties, place: Place) -> str:
    if "DefinitionString" in properties:
        return str(properties["DefinitionString"])
    if "Definition" in properties:
        return json.dumps(properties["Definition"])
    where = properties["DefinitionS3Location"]
    body = place.client("s3").get_object(Bucket=where["Bucket"], Key=where["Key"])["Body"]
    return str(body.read().decode())


def nothing(_: Properties, place: Place) -> Made:
    """Stand for a resource that has no effect on a cloud of one account."""
    return Made(place.name)


@dataclass(frozen=True)
class Ours:
    """A resource type of ours: the property that names it, if one does, and how it is made."""

    make: Callable[[Properties, Place], Any]
    name_property: str = ""


OURS = {
    "AWS::CDK::Metadata": Ours(nothing),
    "AWS::CloudWatch::Alarm": Ours(alarm, "AlarmName"),
    "AWS::Lambda::Function": Ours(function, "FunctionName"),
    "AWS::Lambda::LayerVersion": Ours(layer_version, "LayerName"),
    "AWS::S3::Bucket": Ours(bucket, "BucketName"),
    "AWS::S3::BucketPolicy": Ours(bucket_policy),
    "AWS::SNS::Subscription": Ours(subscription),
    "AWS::SNS::Topic": Ours(topic, "TopicName"),
    "AWS::SNS::TopicPolicy": Ours(nothing),
    "AWS::Scheduler::Schedule": Ours(schedule, "Name"),
    "AWS::Scheduler::ScheduleGroup": Ours(schedule_group, "Name"),
    "AWS::SQS::QueuePolicy": Ours(queue_policy),
    "AWS::StepFunctions::StateMachine": Ours(state_machine, "StateMachineName"),
}
# moto's own, tried and found right for what templates of this project use.
MOTOS = frozenset(
    {
        "AWS::CloudWatch::Dashboard",
        "AWS::DynamoDB::Table",
        "AWS::ECR::Repository",  # part of the CDK's bootstrap stack
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
    }
)
SUPPORTED = frozenset(OURS) | MOTOS
