"""What is kept of objects, items and messages, whole and in order, and what is not written twice."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from personalize_local.cloud import Cloud
from personalize_local.state.directory import taken
from personalize_local.state.moments import kept

MEBIBYTE = 2**20


@contextmanager
def running(directory: Path, *tables: str) -> Iterator[Cloud]:
    """Run a cloud with some tables and a queue, as a deployment would make them, its state kept."""
    with taken(directory) as state, Cloud(state=state) as cloud:
        for table in tables:
            cloud.client("dynamodb").create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}],
                AttributeDefinitions=[
                    {"AttributeName": "a", "AttributeType": "S"},
                    {"AttributeName": "b", "AttributeType": "B"},
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        cloud.client("sqs").create_queue(QueueName="queue")
        with kept(state):
            yield cloud


def files(directory: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}


def bodies(directory: Path) -> int:
    return len(list((directory / "bodies").iterdir()))


def versions(s3: Any, bucket: str) -> list[tuple[Any, ...]]:
    found = s3.list_object_versions(Bucket=bucket)
    listed = [
        (each["Key"], each["VersionId"], each["IsLatest"], each["LastModified"], each.get("ETag"), each.get("Size"))
        for each in (*found.get("Versions", ()), *found.get("DeleteMarkers", ()))
    ]
    return sorted(listed, key=lambda each: each[:2])


def make_versions(s3: Any) -> None:
    s3.create_bucket(Bucket="own")
    s3.put_bucket_versioning(Bucket="own", VersioningConfiguration={"Status": "Enabled"})
    for content in (b"first", b"second", b"third"):
        s3.put_object(
            Bucket="own", Key="a/b c+ü.txt", Body=content, ContentType="text/plain", Metadata={"said": content.decode()}
        )
    s3.put_object_tagging(Bucket="own", Key="a/b c+ü.txt", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.put_object(Bucket="own", Key="gone", Body=b"gone")
    s3.delete_object(Bucket="own", Key="gone")
    upload = s3.create_multipart_upload(Bucket="own", Key="parts", ContentType="text/csv")["UploadId"]
    parts = [
        {
            "PartNumber": n,
            "ETag": s3.upload_part(Bucket="own", Key="parts", UploadId=upload, PartNumber=n, Body=body)["ETag"],
        }
        for n, body in ((1, b"x" * 5 * MEBIBYTE), (2, b"y"))
    ]
    s3.complete_multipart_upload(Bucket="own", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})


def test_every_version_of_an_object_is_there_again(tmp_path: Path) -> None:
    with running(tmp_path / "state") as cloud:
        s3 = cloud.client("s3")
        make_versions(s3)
        first = next(
            each for each in versions(s3, "own") if each[4] == '"8b04d5e3775d298e78455efc5ca404d5"'
        )  # of "first"
        s3.copy_object(Bucket="own", Key="copy", CopySource={"Bucket": "own", "Key": "parts"})
        before = versions(s3, "own")
    assert bodies(tmp_path / "state") == 5  # of the copy and what it is a copy of there is one
    with running(tmp_path / "state") as cloud:
        s3 = cloud.client("s3")
        assert versions(s3, "own") == before
        old = s3.get_object(Bucket="own", Key=first[0], VersionId=first[1])
        assert (old["Body"].read(), old["ContentType"], old["Metadata"]) == (b"first", "text/plain", {"said": "first"})
        assert s3.get_object_tagging(Bucket="own", Key=first[0])["TagSet"] == [{"Key": "k", "Value": "v"}]
        assert s3.get_object(Bucket="own", Key="parts")["ContentType"] == "text/csv"
        newer = s3.put_object(Bucket="own", Key="gone", Body=b"back")["VersionId"]  # its bucket still has versions
        assert newer not in {each[1] for each in before}


def test_what_is_deleted_for_good_leaves_no_file(tmp_path: Path) -> None:
    with running(tmp_path / "state") as cloud:
        s3 = cloud.client("s3")
        make_versions(s3)
        cloud.personalize.persist()
        for key, version, *_ in versions(s3, "own"):
            s3.delete_object(Bucket="own", Key=key, VersionId=version)
        s3.delete_bucket(Bucket="own")
    assert bodies(tmp_path / "state") == 0
    with running(tmp_path / "state") as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_items_are_there_again_whatever_changed_them(tmp_path: Path) -> None:
    def key(n: int) -> dict[str, Any]:
        return {"a": {"S": f"ü{n}"}, "b": {"B": bytes([n, 255])}}

    with running(tmp_path / "state", "one", "two") as cloud:
        dynamodb = cloud.client("dynamodb")
        for n in range(6):
            dynamodb.put_item(
                TableName="one",
                Item={**key(n), "n": {"N": "1"}, "l": {"L": [{"M": {"x": {"B": b"\0"}}}, {"S": "base64"}]}},
            )
        cloud.personalize.persist()
        dynamodb.update_item(
            TableName="one", Key=key(0), UpdateExpression="ADD n :n", ExpressionAttributeValues={":n": {"N": "4"}}
        )
        dynamodb.delete_item(TableName="one", Key=key(1))
        dynamodb.batch_write_item(RequestItems={"one": [{"DeleteRequest": {"Key": key(2)}}]})
        put = {"Put": {"TableName": "two", "Item": {**key(3), "s": {"SS": ["x", "y"]}}}}
        dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "one", "Key": key(3)}}, put])
        before = {name: dynamodb.scan(TableName=name)["Items"] for name in ("one", "two")}
        assert (len(before["one"]), len(before["two"])) == (3, 1)
    with running(tmp_path / "state", "two") as cloud:  # a deployment that no longer has the other table
        assert cloud.client("dynamodb").scan(TableName="two")["Items"] == before["two"]
    with running(tmp_path / "state", "one", "two") as cloud:
        found = cloud.client("dynamodb").scan(TableName="one")["Items"]
        assert sorted(found, key=str) == sorted(before["one"], key=str)
        cloud.client("dynamodb").delete_table(TableName="one")
    with running(tmp_path / "state", "one", "two") as cloud:
        assert cloud.client("dynamodb").scan(TableName="one")["Items"] == []


def test_messages_are_there_again_and_can_be_received_again(tmp_path: Path) -> None:
    with running(tmp_path / "state") as cloud:
        sqs = cloud.client("sqs")
        queue = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
        attribute = {"kind": {"DataType": "Binary", "BinaryValue": b"\0\1"}}
        for n in range(3):
            sqs.send_message(QueueUrl=queue, MessageBody=f"message {n}", MessageAttributes=attribute)
        cloud.personalize.persist()
        deleted, held = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=2, VisibilityTimeout=43_200)["Messages"]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=deleted["ReceiptHandle"])
    with running(tmp_path / "state") as cloud:
        sqs = cloud.client("sqs")
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
        assert [each["Body"] for each in found] == [held["Body"], "message 2"]
        assert found[0]["MessageAttributes"] == attribute


def test_an_idle_cloud_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize_local.state.moments.PAUSE_SECONDS", 0.02)
    with running(tmp_path / "state", "one") as cloud:
        cloud.client("s3").create_bucket(Bucket="own")
        cloud.client("personalize").create_dataset_group(name="movies")
        cloud.personalize.persist()
        deadline = time.monotonic() + 20
        while not list(tmp_path.rglob("worker-*.log")):  # the group has a worker started, for its first import
            assert time.monotonic() < deadline
            time.sleep(0.01)
        before = files(tmp_path)
        for _ in range(20):
            cloud.client("s3").list_objects_v2(Bucket="own")
            cloud.client("dynamodb").scan(TableName="one")
            cloud.client("personalize").list_dataset_groups()
            time.sleep(0.02)
        assert files(tmp_path) == before
        cloud.client("s3").put_object(Bucket="own", Key="k", Body=b"")
        deadline = time.monotonic() + 20
        while files(tmp_path) == before:  # the same watch does see a change
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_what_a_crash_left_unnamed_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path / "state") as cloud:
        cloud.client("s3").create_bucket(Bucket="own")
        cloud.client("s3").put_object(Bucket="own", Key="k", Body=b"kept")
    folder = tmp_path / "state" / "bodies"
    (folder / ("0" * 64)).write_bytes(b"unnamed")
    (folder / ("1" * 64 + ".new")).write_bytes(b"unfinished")
    (folder / "thesis.txt").write_text("the only copy")
    with running(tmp_path / "state"):
        pass
    assert len(list(folder.iterdir())) == 2
    assert (folder / "thesis.txt").read_text() == "the only copy"


def test_objects_that_come_back_announce_nothing(tmp_path: Path) -> None:
    def listen(cloud: Cloud) -> str:
        events, sqs = cloud.client("events"), cloud.client("sqs")
        queue = str(sqs.get_queue_url(QueueName="queue")["QueueUrl"])
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="objects", EventPattern='{"source": ["aws.s3"]}')
        events.put_targets(Rule="objects", Targets=[{"Id": "queue", "Arn": arn}])
        return queue

    with running(tmp_path / "state") as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="own")
        s3.put_object(Bucket="own", Key="k", Body=b"kept")
    with taken(tmp_path / "state") as state, Cloud(state=state) as cloud:
        cloud.client("sqs").create_queue(QueueName="queue")
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="own")
        s3.put_bucket_notification_configuration(
            Bucket="own", NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        queue = listen(cloud)
        with kept(state):
            cloud.quiesce()
            sqs = cloud.client("sqs")
            assert "Messages" not in sqs.receive_message(QueueUrl=queue)
            s3.put_object(Bucket="own", Key="new", Body=b"")
            cloud.quiesce()
            assert len(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]) == 1


def test_a_number_in_a_key_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    def table(cloud: Cloud) -> Any:
        cloud.client("dynamodb").create_table(
            TableName="numbers",
            KeySchema=[{"AttributeName": "n", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "n", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return cloud.client("dynamodb")

    with taken(tmp_path / "state") as state, Cloud(state=state) as cloud:
        dynamodb = table(cloud)
        with kept(state):
            for written in ("10", "10.0", "1E1"):
                dynamodb.put_item(TableName="numbers", Item={"n": {"N": written}})
            cloud.personalize.persist()
            dynamodb.delete_item(TableName="numbers", Key={"n": {"N": "10.00"}})
    with taken(tmp_path / "state") as state, Cloud(state=state) as cloud:
        dynamodb = table(cloud)
        with kept(state):
            assert dynamodb.scan(TableName="numbers")["Items"] == []
