"""Events about objects: one per change, in order, as documented."""

import json
import re
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.s3.models import S3Backend
from moto.sqs.models import sqs_backends

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.s3 import object_events
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud

PART = b"x" * (5 * 1024 * 1024)


@pytest.fixture
def s3(aws: Cloud) -> Any:
    return aws.client("s3")


@pytest.fixture
def heard(aws: Cloud, s3: Any, request: pytest.FixtureRequest) -> Any:
    """Return a bucket's name and a function that returns the events heard about it so far."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-50:].strip("-")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    aws.client("sqs").create_queue(QueueName=name)
    pattern = json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}})
    aws.client("events").put_rule(Name=name, EventPattern=pattern)
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:123456789012:{name}"}
    aws.client("events").put_targets(Rule=name, Targets=[target])

    def events() -> list[dict[str, Any]]:
        aws.quiesce()
        messages = sqs_backends["123456789012"]["us-east-1"].queues[name]._messages
        found = [json.loads(message.body) for message in messages]
        return sorted(found, key=lambda event: str(event["detail"]["object"]["sequencer"]))

    return name, events


def test_an_event_has_the_members_of_the_documented_example(s3: Any, heard: Any) -> None:
    """Fact: members and spelling are those of the S3 user guide's example, "EventBridge event message structure"."""
    bucket, events = heard
    put = s3.put_object(Bucket=bucket, Key="a folder/ü.csv", Body=b"hello")
    (event,) = events()
    assert set(event["detail"]) == {
        "version",
        "bucket",
        "object",
        "request-id",
        "requester",
        "source-ip-address",
        "reason",
    }
    described = event["detail"]["object"]
    assert described.pop("sequencer")
    assert described == {
        "key": "a folder/ü.csv",
        "size": 5,
        "etag": put["ETag"].strip('"'),
        "version-id": put["VersionId"],
    }
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["resources"] == [f"arn:aws:s3:::{bucket}"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])


def test_every_change_has_its_own_id_reason_and_place_in_the_order(s3: Any, heard: Any) -> None:
    bucket, events = heard
    s3.put_object(Bucket=bucket, Key="one", Body=b"1")
    s3.put_object(Bucket=bucket, Key="one", Body=b"2")
    s3.copy_object(Bucket=bucket, Key="two", CopySource={"Bucket": bucket, "Key": "one"})
    upload_in_parts(s3, bucket, "three")
    reasons = [event["detail"]["reason"] for event in events()]
    assert reasons == ["PutObject", "PutObject", "CopyObject", "CompleteMultipartUpload"]
    assert len({event["id"] for event in events()}) == 4


def upload_in_parts(s3: Any, bucket: str, key: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=PART)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)


def test_plain_moto_reports_a_multipart_upload_twice(s3: Any, heard: Any) -> None:
    bucket, events = heard
    with moto_as_shipped("S3Backend.put_object"):
        upload_in_parts(s3, bucket, "twice")
    assert [event["detail"]["reason"] for event in events()] == ["PutObject", "CompleteMultipartUpload"]


def test_plain_moto_gives_all_events_one_sequencer(s3: Any, heard: Any) -> None:
    bucket, events = heard
    with moto_as_shipped("s3.notifications._send_event_bridge_message"):
        for key in ("one", "two"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert len({event["detail"]["object"]["sequencer"] for event in events()}) == 1
    assert "etag" not in events()[0]["detail"]["object"]
    assert "Object Tags Added" in {event["detail-type"] for event in events()}


def test_the_last_sequencer_of_a_key_belongs_to_its_present_version(s3: Any, heard: Any) -> None:
    bucket, events = heard
    threads = [
        threading.Thread(target=s3.put_object, kwargs={"Bucket": bucket, "Key": "same", "Body": str(number).encode()})
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events()) == 40
    assert events()[-1]["detail"]["object"]["version-id"] == s3.head_object(Bucket=bucket, Key="same")["VersionId"]


@pytest.mark.parametrize("write", ["copy_object", "complete_multipart_upload"])
def test_writers_wait_for_each_other(write: str) -> None:
    """Plain moto's writes do not: between an object and its event another writer can come."""
    with moto_as_shipped("S3Backend.copy_object"), moto_as_shipped("S3Backend.complete_multipart_upload"):
        assert not waits_for_others(getattr(S3Backend, write))
    assert waits_for_others(getattr(S3Backend, write))


def waits_for_others(write: Any) -> bool:
    """Tell whether a write gets nowhere while another one is under way."""

    def attempt() -> None:
        with pytest.raises(Exception):  # noqa: B017, PT011 - it has no arguments; only whether it gets so far matters
            write()

    thread = threading.Thread(target=attempt)
    with object_events._writing:
        thread.start()
        thread.join(0.2)
        waited = thread.is_alive()
    thread.join()
    return waited


def test_two_hundred_puts_at_once_are_two_hundred_events(s3: Any, heard: Any) -> None:
    bucket, events = heard
    keys = [f"uploads/{number}" for number in range(200)]
    threads = [
        threading.Thread(target=lambda part=part: [s3.put_object(Bucket=bucket, Key=key, Body=b"") for key in part])
        for part in (keys[start::8] for start in range(8))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(event["detail"]["object"]["key"] for event in events()) == sorted(keys)


def test_an_object_is_as_old_as_its_event(s3: Any, heard: Any) -> None:
    bucket, events = heard
    CLOCK.wait(1800)
    s3.put_object(Bucket=bucket, Key="dated", Body=b"")
    modified = s3.head_object(Bucket=bucket, Key="dated")["LastModified"]
    announced = datetime.fromisoformat(events()[0]["time"])
    assert abs(modified - announced) < timedelta(minutes=15)  # of the half hour that the clock is ahead
    with moto_as_shipped("s3.models.utcnow"):
        s3.put_object(Bucket=bucket, Key="real", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="real")["LastModified"] < modified
