"""SNS topics: who gets what is published, in which shape, and what is kept of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.sns import notices
from personalize_local.aws.sns.notices import Message, Notice, Notices
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction

ACCOUNT = "us-east-1:123456789012"
MakeTopic = Callable[[], str]
KIND = {"kind": {"DataType": "String", "StringValue": "failure"}}


@pytest.fixture
def sns(aws: Cloud) -> Any:
    return aws.client("sns")


@pytest.fixture
def topic(sns: Any, request: pytest.FixtureRequest) -> str:
    return str(sns.create_topic(Name=f"topic-{abs(hash(request.node.name))}")["TopicArn"])


@pytest.fixture
def queue(aws: Cloud, topic: str) -> str:
    name = topic.rpartition(":")[2]
    aws.client("sqs").create_queue(QueueName=name)
    return f"arn:aws:sqs:{ACCOUNT}:{name}"


def messages(aws: Cloud, queue: str) -> list[Any]:
    aws.quiesce()
    return list(sqs_backends["123456789012"]["us-east-1"].queues[queue.rpartition(":")[2]]._messages)


def test_what_is_published_is_kept_as_each_subscriber_would_get_it(aws: Cloud, sns: Any, topic: str) -> None:
    for protocol, endpoint in (("email", "a@example.org"), ("sms", "+4915112345678"), ("https", "https://example.org")):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    parts = {"default": "for all", "sms": "short"}
    published = sns.publish(
        TopicArn=topic, Message=json.dumps(parts), MessageStructure="json", Subject="News", MessageAttributes=KIND
    )
    (notice,) = aws.notices(topic)
    assert aws.notices(topic.rpartition(":")[2]) == [notice]
    assert (notice.message_id, notice.subject, json.loads(notice.message)) == (published["MessageId"], "News", parts)
    assert notice.attributes == {"kind": {"Type": "String", "Value": "failure"}}
    assert [(message.protocol, message.text) for message in notice.messages] == [
        ("email", "for all"),
        ("sms", "short"),
        ("https", "for all"),
    ]
    assert notice.published <= f"{CLOCK.now():%Y-%m-%dT%H:%M:%S}Z"


def test_plain_moto_keeps_it_for_ever(aws: Cloud, sns: Any, topic: str) -> None:
    backend = sns_backends["123456789012"]["us-east-1"]
    sns.publish(TopicArn=topic, Message="ours")
    assert backend.topics[topic].sent_notifications == []
    with moto_as_shipped("Topic.publish"):
        sns.publish(TopicArn=topic, Message="moto's")
    assert len(backend.topics[topic].sent_notifications) == 1
    assert [notice.message for notice in aws.notices(topic)] == ["ours"]


def test_a_text_message_to_a_number_is_kept_with_the_notices(aws: Cloud, sns: Any) -> None:
    backend = sns_backends["123456789012"]["us-east-1"]
    sns.publish(PhoneNumber="+4915112345678", Message="hello")
    assert aws.notices()[-1].messages == (Message("sms", "+4915112345678", "hello"),)
    assert not backend.sms_messages
    with moto_as_shipped("SNSBackend.publish"):
        sns.publish(PhoneNumber="+4915112345678", Message="hello")
    assert len(backend.sms_messages) == 1


def test_a_queue_gets_the_documented_envelope_or_the_text_alone(aws: Cloud, sns: Any, topic: str, queue: str) -> None:
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="hello", Subject="News", MessageAttributes=KIND)
    (message,) = messages(aws, queue)
    envelope = json.loads(message.body)
    assert (envelope["Type"], envelope["TopicArn"], envelope["Subject"]) == ("Notification", topic, "News")
    assert (envelope["Message"], envelope["MessageId"]) == ("hello", aws.notices(topic)[0].message_id)
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "failure"}}
    for raw in ("false", "true"):
        sns.set_subscription_attributes(
            SubscriptionArn=subscribed, AttributeName="RawMessageDelivery", AttributeValue=raw
        )
        sns.publish(TopicArn=topic, Message="hello", MessageAttributes=KIND)
        aws.quiesce()  # a standard topic keeps no order
    _, wrapped, alone = messages(aws, queue)
    assert json.loads(wrapped.body)["Message"] == "hello"
    assert alone.body == "hello"
    assert alone.message_attributes["kind"]["StringValue"] == "failure"


def test_a_function_gets_the_message_that_was_published(
    aws: Cloud, sns: Any, topic: str, function: MakeFunction
) -> None:
    aws.client("s3").create_bucket(Bucket="from-topics")
    name = function(
        """
        import boto3, json
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="from-topics", Key="event", Body=json.dumps(event))
        """
    )
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"arn:aws:lambda:{ACCOUNT}:function:{name}")
    sns.publish(TopicArn=topic, Message="hello", Subject="News")
    aws.quiesce()
    (record,) = json.load(aws.client("s3").get_object(Bucket="from-topics", Key="event")["Body"])["Records"]
    assert (record["EventSource"], record["Sns"]["TopicArn"], record["Sns"]["Message"]) == ("aws:sns", topic, "hello")
    assert record["Sns"]["MessageId"] == aws.notices(topic)[0].message_id


@pytest.mark.parametrize(
    ("scope", "policy", "wanted"),
    [
        ("MessageAttributes", {"kind": ["failure"]}, True),
        ("MessageAttributes", {"kind": ["success"]}, False),
        ("MessageBody", {"status": ["FAILED"]}, True),
        ("MessageBody", {"status": ["SUCCEEDED"]}, False),
    ],
)
def test_filter_policies_are_honoured(
    aws: Cloud, sns: Any, topic: str, scope: str, policy: dict[str, list[str]], wanted: bool
) -> None:
    attributes = {"FilterPolicyScope": scope, "FilterPolicy": json.dumps(policy)}
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org", Attributes=attributes)
    sns.publish(TopicArn=topic, Message='{"status": "FAILED"}', MessageAttributes=KIND)
    assert len(aws.notices(topic)[0].messages) == wanted


def test_what_a_queue_does_not_take_is_a_dead_letter(aws: Cloud, sns: Any, topic: str, queue: str) -> None:
    attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue})}
    gone = f"arn:aws:sqs:{ACCOUNT}:not-there"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=gone, Attributes=attributes)
    sns.publish(TopicArn=topic, Message="hello")
    (letter,) = messages(aws, queue)
    assert json.loads(letter.body)["Message"] == "hello"


@pytest.mark.parametrize("message", ["{not json", '{"email": "no default"}', "[]"])
def test_a_structured_message_needs_a_default(sns: Any, topic: str, message: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameter"):
        sns.publish(TopicArn=topic, Message=message, MessageStructure="json")


def test_a_topic_is_a_target_of_rules(aws: Cloud, topic: str) -> None:
    events = aws.client("events")
    events.put_rule(Name="to-topic", EventPattern='{"source": ["to-topic"]}')
    events.put_targets(Rule="to-topic", Targets=[{"Id": "0", "Arn": topic, "InputPath": "$.detail"}])
    events.put_events(Entries=[{"Source": "to-topic", "DetailType": "Test", "Detail": '{"a": 1}'}])
    aws.quiesce()
    assert [json.loads(notice.message) for notice in aws.notices(topic)] == [{"a": 1}]


def test_a_topic_of_a_stack_keeps_its_subscriptions_when_it_changes(aws: Cloud, sns: Any, queue: str) -> None:
    subscription = {
        "TopicArn": {"Ref": "Topic"},
        "Protocol": "sqs",
        "Endpoint": queue,
        "RawMessageDelivery": True,
        "FilterPolicy": {"kind": ["failure"]},
    }
    template: dict[str, Any] = {
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "of-stack"}},
            "Queue": {"Type": "AWS::SNS::Subscription", "Properties": subscription},
            "Policy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Statement": []}},
            },
        },
        "Outputs": {name: {"Value": {"Fn::GetAtt": ["Topic", name]}} for name in ("TopicArn", "TopicName")},
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="topics", TemplateBody=json.dumps(template))
    (stack,) = cloudformation.describe_stacks(StackName="topics")["Stacks"]
    values = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    arn = f"arn:aws:sns:{ACCOUNT}:of-stack"
    assert values == {"TopicArn": arn, "TopicName": "of-stack"}
    template["Resources"]["Topic"]["Properties"]["DisplayName"] = "Ours"
    cloudformation.update_stack(StackName="topics", TemplateBody=json.dumps(template))
    sns.publish(TopicArn=arn, Message="unwanted")
    sns.publish(TopicArn=arn, Message="wanted", MessageAttributes=KIND)
    assert [message.body for message in messages(aws, queue)] == ["wanted"]
    del template["Resources"]["Queue"]
    cloudformation.update_stack(StackName="topics", TemplateBody=json.dumps(template))
    assert sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == []


def test_what_is_kept_is_bounded_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MOST_NOTICES", 3)
    monkeypatch.setattr(notices, "MOST_BYTES", 100)
    kept = Notices()
    for number in range(5):
        kept.add(Notice("arn:topic", str(number), None, "x", {}, "", ()))
    assert [notice.message_id for notice in kept.of()] == ["2", "3", "4"]
    kept.add(Notice("arn:topic", "large", None, "x" * 99, {}, "", ()))
    assert [notice.message_id for notice in kept.of()] == ["4", "large"]
