"""The gateway to S3, against moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.gateways import s3 as module
from lambdas.gateways.s3 import S3Objects


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="bucket")
        client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        yield client


def put(client: Any, key: str, body: bytes) -> str:
    return str(client.put_object(Bucket="bucket", Key=key, Body=body)["VersionId"])


def test_an_object_is_opened_at_an_offset_and_says_which_version_it_is(client: Any) -> None:
    objects = S3Objects(client, "bucket")
    put(client, "a b+ü.csv", b"old")
    version = put(client, "a b+ü.csv", b"0123456789")
    body = objects.open("a b+ü.csv", 4, chunk_bytes=3)
    assert body is not None
    assert body.version_id == version
    assert list(body.chunks) == [b"456", b"789"]
    assert objects.open("none") is None
    assert objects.text("none") is None


def test_the_current_version_of_a_deleted_object_is_none(client: Any) -> None:
    objects = S3Objects(client, "bucket")
    version = put(client, "a", b"1")
    assert objects.current_version("a", versioned=True) == version
    client.delete_object(Bucket="bucket", Key="a")
    assert objects.current_version("a", versioned=True) is None
    assert objects.page_of_versions("", None) == ([], None)


def test_a_listing_tells_current_versions_only(client: Any) -> None:
    put(client, "up/a", b"1")
    version = put(client, "up/a", b"12")
    put(client, "other", b"1")
    (found,), after = S3Objects(client, "bucket").page_of_versions("up/", None)
    assert after is None
    assert (found.key, found.version, found.versioned, found.size_bytes) == ("up/a", version, True, 2)


def test_a_copy_is_of_the_version_that_was_asked_for(client: Any) -> None:
    objects = S3Objects(client, "bucket")
    old = put(client, "a b+ü.csv", b"old")
    put(client, "a b+ü.csv", b"new")
    assert objects.copy("a b+ü.csv", old, "to", versioned=True, size_bytes=3)
    assert objects.text("to") == "old"


def test_a_version_that_is_gone_is_not_copied(client: Any) -> None:
    objects = S3Objects(client, "bucket")
    version = put(client, "a", b"1")
    client.delete_object(Bucket="bucket", Key="a", VersionId=version)
    assert not objects.copy("a", version, "to", versioned=True, size_bytes=1)
    assert not objects.copy("a", "another-etag", "to", versioned=False, size_bytes=1)
    assert list(objects.keys("")) == []


def test_a_version_is_tagged_and_one_that_is_gone_is_not_missed(client: Any) -> None:
    objects = S3Objects(client, "bucket")
    old, new = put(client, "a", b"old"), put(client, "a", b"new")
    objects.tag("a", old, ("ledger", "IMPORTED"), versioned=True)
    tags = [client.get_object_tagging(Bucket="bucket", Key="a", VersionId=one)["TagSet"] for one in (old, new)]
    assert tags == [[{"Key": "ledger", "Value": "IMPORTED"}], []]
    client.delete_object(Bucket="bucket", Key="a", VersionId=old)
    objects.tag("a", old, ("ledger", "IMPORTED"), versioned=True)


def test_large_objects_are_copied_in_parts(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above 5 GB CopyObject refuses; the limits are lowered here, S3's smallest part is 5 MiB."""
    monkeypatch.setattr(module, "LARGEST_COPY_BYTES", 6 << 20)
    monkeypatch.setattr(module, "PART_BYTES", 5 << 20)
    content = bytes(range(256)) * (13 << 12)
    version = put(client, "a", content)
    assert S3Objects(client, "bucket").copy("a", version, "to", versioned=True, size_bytes=len(content))
    assert client.get_object(Bucket="bucket", Key="to")["Body"].read() == content
    assert "-" in client.head_object(Bucket="bucket", Key="to")["ETag"]  # the mark of an upload in parts
    assert "Uploads" not in client.list_multipart_uploads(Bucket="bucket")


def test_a_stream_is_written_in_parts_and_an_interrupted_one_leaves_nothing(client: Any) -> None:
    objects = S3Objects(client, "bucket")
    objects.write_stream("a", iter([b"x" * (9 << 20)] * 3))
    assert client.head_object(Bucket="bucket", Key="a")["ContentLength"] == 27 << 20

    def broken() -> Iterator[bytes]:
        yield b"x" * (17 << 20)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        objects.write_stream("b", broken())
    assert "Uploads" not in client.list_multipart_uploads(Bucket="bucket")
    assert list(objects.keys("b")) == []
