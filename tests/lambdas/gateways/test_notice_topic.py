"""What is published, against moto's SNS, delivered to a queue."""

import json

import boto3
import pytest
from moto import mock_aws

from lambdas.gateways.notice_topic import NoticeTopic
from personalize_local.cloud import Cloud


@pytest.fixture
def bare_cloud_that_ended() -> None:
    with Cloud():
        pass


@mock_aws
def test_a_queue_gets_its_own_text_with_the_attributes() -> None:
    sns, sqs = boto3.client("sns", "eu-west-1"), boto3.client("sqs", "eu-west-1")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue = sqs.create_queue(QueueName="readers")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    NoticeTopic(sns, topic).publish("failed", json.dumps({"default": "long", "sqs": "{}"}), {"datasetGroup": "films"})
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "failed"
    assert envelope["MessageAttributes"] == {"datasetGroup": {"Type": "String", "Value": "films"}}


@pytest.mark.usefixtures("bare_cloud_that_ended")
def test_it_is_so_after_a_local_cloud_too() -> None:
    """What corrects moto for a cloud must not be in the way of a test with `mock_aws` in the same process."""
    test_a_queue_gets_its_own_text_with_the_attributes()
