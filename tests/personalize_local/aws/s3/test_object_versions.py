"""S3's objects are in memory once, however often they are listed, and go when they are deleted."""

import gc
import warnings
from typing import Any

import pytest
from moto.s3.models import FakeKey

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.cloud import Cloud

OBJECTS = 5


@pytest.fixture
def s3(aws: Cloud) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    """Return a versioned bucket with some objects in it."""
    name = str(request.node.name).replace("_", "-")[:60].strip("-")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for number in range(OBJECTS):
        s3.put_object(Bucket=name, Key=f"{number}", Body=b"x" * 1000)
    return name


def objects_in_memory() -> int:
    """Return how many objects there are, buckets' and copies'."""
    gc.collect()
    return sum(isinstance(found, FakeKey) for found in gc.get_objects())


def test_listing_versions_leaves_nothing_behind(s3: Any, bucket: str) -> None:
    before = objects_in_memory()
    for _ in range(3):
        s3.list_object_versions(Bucket=bucket)
    assert objects_in_memory() == before
    with moto_as_shipped("BaseModel.__new__"), moto_as_shipped("s3.models.copy"):
        s3.list_object_versions(Bucket=bucket)
        assert objects_in_memory() == before + OBJECTS
    FakeKey.instances_tracked.clear()  # type: ignore[attr-defined]  # set by a metaclass


def test_listing_versions_copies_no_body(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    value: Any = FakeKey.value

    def read_body(key: FakeKey) -> bytes:
        read.append(key.name)
        return bytes(value.fget(key))

    monkeypatch.setattr(FakeKey, "value", value.getter(read_body))
    s3.list_object_versions(Bucket=bucket)
    assert read == []
    with moto_as_shipped("s3.models.copy"):
        s3.list_object_versions(Bucket=bucket)
        assert len(read) == OBJECTS


def test_a_listing_tells_the_latest_version_and_markers(s3: Any, bucket: str) -> None:
    """Fact: the newest version of a key, or its delete marker, is the latest one."""
    s3.put_object(Bucket=bucket, Key="0", Body=b"newer")
    s3.delete_object(Bucket=bucket, Key="1")
    listed = s3.list_object_versions(Bucket=bucket)
    of_the_first = [(found["IsLatest"], found["Size"]) for found in listed["Versions"] if found["Key"] == "0"]
    assert of_the_first == [(True, 5), (False, 1000)]
    assert [(found["Key"], found["IsLatest"]) for found in listed["DeleteMarkers"]] == [("1", True)]
    assert s3.get_object(Bucket=bucket, Key="0")["Body"].read() == b"newer"  # nobody closed its body


def test_an_object_that_is_overwritten_goes(s3: Any) -> None:
    s3.create_bucket(Bucket="overwritten")
    s3.put_object(Bucket="overwritten", Key="one", Body=b"0")
    before = objects_in_memory()
    for _ in range(3):
        s3.put_object(Bucket="overwritten", Key="one", Body=b"1")
    assert objects_in_memory() == before
    with moto_as_shipped("BaseModel.__new__"):
        s3.put_object(Bucket="overwritten", Key="one", Body=b"2")
        s3.put_object(Bucket="overwritten", Key="one", Body=b"3")
        assert objects_in_memory() == before + 1
    FakeKey.instances_tracked.clear()  # type: ignore[attr-defined]  # set by a metaclass


@pytest.mark.usefixtures("aws")
def test_an_object_that_goes_is_closed_without_a_word() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        key = FakeKey("one", b"body", "123456789012", "us-east-1")
        buffer = key._value_buffer
        del key
        assert buffer.closed
        assert not heard
        with moto_as_shipped("FakeKey.__del__"):
            FakeKey("one", b"body", "123456789012", "us-east-1")
        assert "not disposed of" in str(heard[0].message)
