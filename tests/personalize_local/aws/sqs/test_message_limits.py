"""What SQS and EventBridge do not take: long messages, large events."""

import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.limits import EVENTS_ENTRIES, MESSAGE
from personalize_local.cloud import Cloud

HALF = "é" * (MESSAGE.value // 4)
ATTRIBUTE = {"name": {"DataType": "String", "StringValue": "x" * 10}}  # 20 bytes
_numbers = itertools.count()


@pytest.fixture
def sqs(aws: Cloud) -> Any:
    return aws.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName=f"queue-{next(_numbers)}")["QueueUrl"])


def test_a_message_has_a_length_in_bytes(sqs: Any, url: str) -> None:
    """Fact: 1,048,576 bytes with the attributes, says botocore's model of SendMessage (256 KiB until 2025)."""
    sqs.send_message(QueueUrl=url, MessageBody=HALF + HALF)
    with pytest.raises(ClientError, match="Message must be shorter than 1048576 bytes"):
        sqs.send_message(QueueUrl=url, MessageBody=HALF + HALF + "x")
    with pytest.raises(ClientError, match="Message must be shorter than 1048576 bytes"):
        sqs.send_message(QueueUrl=url, MessageBody=(HALF + HALF)[:-9], MessageAttributes=ATTRIBUTE)
    sqs.send_message(QueueUrl=url, MessageBody=(HALF + HALF)[:-10], MessageAttributes=ATTRIBUTE)


def test_a_queue_may_allow_less(sqs: Any, url: str) -> None:
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    sqs.send_message(QueueUrl=url, MessageBody="é" * 512)
    with pytest.raises(ClientError, match="Message must be shorter than 1024 bytes"):
        sqs.send_message(QueueUrl=url, MessageBody="é" * 513)


def test_a_batch_has_the_same_length_in_all(sqs: Any, url: str) -> None:
    def batch(*bodies: str, **more: Any) -> Any:
        entries = [{"Id": str(number), "MessageBody": body, **more} for number, body in enumerate(bodies)]
        return sqs.send_message_batch(QueueUrl=url, Entries=entries)

    assert len(batch(HALF, HALF)["Successful"]) == 2
    with pytest.raises(ClientError, match=r"BatchRequestTooLong.*You have sent 1048577 bytes"):
        batch(HALF, HALF + "x")
    with pytest.raises(ClientError, match="BatchRequestTooLong"):
        batch(HALF, HALF[:-10], MessageAttributes=ATTRIBUTE)


def test_plain_moto_counts_characters(sqs: Any, url: str) -> None:
    with moto_as_shipped("SQSBackend.send_message"):
        sqs.send_message(QueueUrl=url, MessageBody=HALF * 3)
    with moto_as_shipped("SQSBackend.send_message_batch"), moto_as_shipped("SQSBackend.send_message"):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": HALF * 3}])


def test_all_entries_of_put_events_have_a_size(aws: Cloud) -> None:
    """Fact: less than 1 MB, says botocore's model of PutEvents (256 KiB until 2026)."""
    events = aws.client("events")

    def put(*details: str, **more: Any) -> Any:
        entries = [{"Source": "s", "DetailType": "d", "Detail": detail, **more} for detail in details]
        return events.put_events(Entries=entries)

    half = json.dumps({"a": "é" * (EVENTS_ENTRIES.value // 4 - 8)}, ensure_ascii=False)
    assert put(half, half)["FailedEntryCount"] == 0
    for more in ({"Resources": ["x" * 40]}, {"Time": 1_700_000_000}):
        with pytest.raises(ClientError, match="Total size of the entries in the request is over the limit"):
            put(half, half, **more)
    with moto_as_shipped("EventsBackend.put_events"):
        assert put(half, half, half)["FailedEntryCount"] == 0
