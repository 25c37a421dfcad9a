"""Queues that feed functions: batches, partial failures, and the way to the dead-letter queue."""

import json
import time
from typing import Any

import pytest

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.sqs.event_source_mappings import failed_items
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction

COPY = """
    import json, os
    import boto3

    def handler(event, context):
        bodies = [record["body"] for record in event["Records"]]
        boto3.client("s3").put_object(Bucket="handled", Key=context.aws_request_id, Body=json.dumps(event["Records"]))
        if "crash" in bodies: raise ValueError("crash")
        return {"batchItemFailures": [
            {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "bad"
        ]}
"""


@pytest.fixture(scope="module", autouse=True)
def _bucket(aws: Cloud) -> None:
    aws.client("s3").create_bucket(Bucket="handled")


def handled(aws: Cloud, arn: str) -> list[list[dict[str, Any]]]:
    """Return the batches that came from one queue, oldest first."""
    s3 = aws.client("s3")
    objects = sorted(s3.list_objects_v2(Bucket="handled").get("Contents", []), key=lambda one: one["LastModified"])
    batches = [json.load(s3.get_object(Bucket="handled", Key=one["Key"])["Body"]) for one in objects]
    return [batch for batch in batches if batch[0]["eventSourceARN"] == arn]


def feed(aws: Cloud, function: str, name: str, *, dead: str | None = None, **settings: Any) -> tuple[str, str]:
    """Make a queue that feeds a function; return its URL and ARN."""
    sqs = aws.client("sqs")
    attributes = {"VisibilityTimeout": "60"}
    if dead:
        dead_arn = f"arn:aws:sqs:us-east-1:123456789012:{dead}"
        sqs.create_queue(QueueName=dead)
        attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 3})
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    aws.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **settings)
    return url, arn


def send(aws: Cloud, url: str, *bodies: str) -> None:
    for body in bodies:
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def depth(aws: Cloud, name: str) -> int:
    url = aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    told = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])


def test_messages_reach_the_function_as_documented(aws: Cloud, function: MakeFunction) -> None:
    """Fact: the members of a record are those of the developer guide's example event."""
    url, arn = feed(aws, function(COPY), "plain")
    text = {"StringValue": "value", "DataType": "String"}
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello", MessageAttributes={"name": text})
    aws.quiesce()
    ((record,),) = handled(aws, arn)
    assert set(record) == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert (record["body"], record["eventSource"]) == ("hello", "aws:sqs")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["name"]["stringValue"] == "value"
    assert depth(aws, "plain") == 0


def test_a_window_gathers_messages_into_one_batch(aws: Cloud, function: MakeFunction) -> None:
    url, arn = feed(aws, function(COPY), "gathered", BatchSize=5, MaximumBatchingWindowInSeconds=300)
    send(aws, url, *"abcde")
    aws.quiesce()
    assert [sorted(record["body"] for record in batch) for batch in handled(aws, arn)] == [list("abcde")]


def test_only_failed_messages_come_again_and_end_in_the_dead_letter_queue(aws: Cloud, function: MakeFunction) -> None:
    settings = {"BatchSize": 2, "MaximumBatchingWindowInSeconds": 120}
    response = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    url, arn = feed(aws, function(COPY), "partly", dead="partly-dead", **settings, **response)
    began = CLOCK.time()
    send(aws, url, "good", "bad")
    aws.quiesce()
    bodies = [record["body"] for batch in handled(aws, arn) for record in batch]
    assert (bodies.count("good"), bodies.count("bad")) == (1, 3)
    assert depth(aws, "partly-dead") == 1
    assert CLOCK.time() - began >= 180  # three visibility timeouts


def test_an_error_fails_the_whole_batch(aws: Cloud, function: MakeFunction) -> None:
    url, _ = feed(aws, function(COPY), "failing", dead="failing-dead", BatchSize=2, MaximumBatchingWindowInSeconds=120)
    send(aws, url, "good", "crash")
    aws.quiesce()
    assert depth(aws, "failing-dead") == 2


def test_a_message_is_not_handed_out_again_while_it_is_being_handled(aws: Cloud, function: MakeFunction) -> None:
    """Choice: a handler of half a real second does not outlast a visibility timeout of 60 simulated seconds."""
    slow = COPY.replace(
        "    def handler(event, context):", "    def handler(event, context):\n        import time; time.sleep(0.5)"
    )
    url, arn = feed(aws, function(slow), "slow")
    send(aws, url, "once")
    aws.quiesce()
    assert len(handled(aws, arn)) == 1


def test_a_disabled_mapping_waits(aws: Cloud, function: MakeFunction) -> None:
    url, arn = feed(aws, function(COPY), "disabled", Enabled=False)
    send(aws, url, "waiting")
    aws.quiesce()
    assert handled(aws, arn) == []
    (mapping,) = aws.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    aws.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    aws.quiesce()
    assert len(handled(aws, arn)) == 1


def test_plain_moto_runs_the_function_inside_send_message_or_not_at_all(aws: Cloud, function: MakeFunction) -> None:
    with moto_as_shipped("LambdaBackend.create_event_source_mapping"):
        url, arn = feed(aws, function(COPY), "moto")
    send(aws, url, "unheard")
    time.sleep(0.3)
    assert handled(aws, arn) == []
    assert depth(aws, "moto") == 1


EVERYTHING = {"a", "b"}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({}, set()),
        (None, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, EVERYTHING),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, EVERYTHING),
        ({"batchItemFailures": [{"wrong": "a"}]}, EVERYTHING),
        ({"batchItemFailures": [{"itemIdentifier": "stranger"}]}, EVERYTHING),
    ],
)
def test_partial_responses_are_read_as_documented(answer: Any, failed: set[str]) -> None:
    """Fact: the developer guide lists what counts as complete success and what as complete failure."""
    assert failed_items(json.dumps(answer), EVERYTHING) == failed
