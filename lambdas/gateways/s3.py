"""Reach the objects of one bucket in S3: read in ranges, copied on the server, listed in the order of keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from lambdas.gateways.concurrency import each

LARGEST_COPY_BYTES: Final = 5 * 1024**3  # CopyObject ends here, copying in parts begins
PART_BYTES: Final = 1024**3
_WRITTEN_PART_BYTES: Final = 8 << 20  # at least 5 MiB, and 10,000 parts at most
_NOT_FOUND: Final = 404
_GONE: Final = frozenset({"NoSuchKey", "NoSuchVersion", "PreconditionFailed", "404"})


# Why an object that is there cannot be read, and what its owner can do.
_UNREADABLE: Final = {
    "AccessDenied": "the importing roles may not read it: upload it with the bucket's own encryption, or let the"
    " handlers' roles and the data role decrypt with its KMS key",
    "InvalidObjectState": "it is archived: restore it, or upload it again in a storage class that is read at once",
    "InvalidRequest": "it is encrypted with a key that only its owner has (SSE-C): upload it without",
    "KMS.DisabledException": "the KMS key that it is encrypted with is disabled: enable it, or upload it again",
    "KMS.NotFoundException": "the KMS key that it is encrypted with is gone: upload it again",
}


class UnreadableObjectError(Exception):
    """An object is there, and cannot be read; the text says what its owner can do."""


@dataclass(frozen=True)
class StoredObject:
    """What a listing tells about one object."""

    key: str
    version: str
    versioned: bool
    size_bytes: int
    modified: datetime


@dataclass(frozen=True)
class Marker:
    """Where a listing of versions goes on: behind this version of this key."""

    key: str
    version: str


@dataclass(frozen=True)
class Body:
    """An object that was opened: which version it is, and its bytes from the offset that was asked for."""

    version_id: str
    etag: str
    chunks: Iterator[bytes]


class Objects(Protocol):
    """The objects of one bucket, as the domain sees them."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def open(self, key: str, offset: int = 0, chunk_bytes: int = 8 << 20) -> Body | None:
        """Open the current version of an object; None when there is none."""

    def text(self, key: str) -> str | None:
        """Return a small object's text; None when there is none."""

    def write(self, key: str, content: bytes, content_type: str) -> None:
        """Write a small object."""

    def write_stream(self, key: str, chunks: Iterator[bytes]) -> None:
        """Write an object from bytes that come one after the other, holding one part of it in memory."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix."""

    def page_of_versions(self, prefix: str, after: Marker | None) -> tuple[list[StoredObject], Marker | None]:
        """Return the current versions among the next thousand below a prefix, and where the page after them begins."""

    def current_version(self, key: str, *, versioned: bool) -> str | None:
        """Return the version id (or the etag) of what is under a key now; None when nothing is."""

    def copy(self, key: str, version: str, target: str, *, versioned: bool, size_bytes: int) -> bool:
        """Copy one version of an object inside the bucket, on the server; False when that version is gone."""

    def tag(self, key: str, version: str, tag: tuple[str, str], *, versioned: bool) -> None:
        """Give one version of an object a tag, in the place of those it had; one that is gone needs none."""


class S3Objects:
    """The objects of one bucket in S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def open(self, key: str, offset: int = 0, chunk_bytes: int = 8 << 20) -> Body | None:
        """Open the current version of an object; None when there is none."""
        arguments = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **arguments)
        except self._client.exceptions.NoSuchKey:
            return None
        except self._client.exceptions.ClientError as error:
            raise _readable(error) from error
        chunks = answer["Body"].iter_chunks(chunk_bytes)
        return Body(answer.get("VersionId", "null"), answer["ETag"].strip('"'), chunks)

    def text(self, key: str) -> str | None:
        """Return a small object's text; None when there is none."""
        body = self.open(key)
        return b"".join(body.chunks).decode() if body else None

    def write(self, key: str, content: bytes, content_type: str) -> None:
        """Write a small object."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for listed in page.get("Contents", ()):
                yield listed["Key"]

    def page_of_versions(self, prefix: str, after: Marker | None) -> tuple[list[StoredObject], Marker | None]:
        """Return the current versions among the next thousand below a prefix, and where the page after them begins."""
        start = {"KeyMarker": after.key, "VersionIdMarker": after.version} if after else {}
        answer = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix, **start)
        current = [_stored(listed) for listed in answer.get("Versions", ()) if listed["IsLatest"]]
        if not answer["IsTruncated"]:
            return current, None
        return current, Marker(answer["NextKeyMarker"], answer["NextVersionIdMarker"])

    def current_version(self, key: str, *, versioned: bool) -> str | None:
        """Return the version id (or the etag) of what is under a key now."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != _NOT_FOUND:
                raise _readable(error) from error
            return None
        return str(head.get("VersionId")) if versioned else str(head["ETag"]).strip('"')

    def copy(self, key: str, version: str, target: str, *, versioned: bool, size_bytes: int) -> bool:
        """Copy one version of an object inside the bucket, on the server; False when that version is gone."""
        source = {"Bucket": self._bucket, "Key": key, **({"VersionId": version} if versioned else {})}
        same = {} if versioned else {"CopySourceIfMatch": version}
        try:
            if size_bytes <= LARGEST_COPY_BYTES:
                self._client.copy_object(Bucket=self._bucket, Key=target, CopySource=source, **same)
            else:
                self._copy_in_parts({"CopySource": source, **same}, target, size_bytes)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise _readable(error) from error
            return False
        return True

    def tag(self, key: str, version: str, tag: tuple[str, str], *, versioned: bool) -> None:
        """Give one version of an object a tag, in the place of those it had; one that is gone needs none."""
        one = {"VersionId": version} if versioned else {}
        tags = {"TagSet": [{"Key": tag[0], "Value": tag[1]}]}
        try:
            self._client.put_object_tagging(Bucket=self._bucket, Key=key, Tagging=tags, **one)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise

    def write_stream(self, key: str, chunks: Iterator[bytes]) -> None:
        """Write an object from bytes that come one after the other, holding one part of it in memory."""
        target = {"Bucket": self._bucket, "Key": key}
        with self._upload(target) as parts:
            for number, part in enumerate(_parts(chunks), start=1):
                answer = self._client.upload_part(**target, PartNumber=number, Body=part)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def _copy_in_parts(self, source: dict[str, Any], key: str, size_bytes: int) -> None:
        target = {"Bucket": self._bucket, "Key": key}

        def copy_part(number: int) -> dict[str, Any]:
            first = (number - 1) * PART_BYTES
            last = min(first + PART_BYTES, size_bytes) - 1
            answer = self._client.upload_part_copy(
                **target, **source, PartNumber=number, CopySourceRange=f"bytes={first}-{last}"
            )
            return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

        with self._upload(target) as parts:
            parts.extend(each(copy_part, range(1, -(-size_bytes // PART_BYTES) + 1)))

    @contextmanager
    def _upload(self, target: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
        """Open an upload in parts (its id goes into `target`), and complete or abort it."""
        target["UploadId"] = self._client.create_multipart_upload(**target)["UploadId"]
        parts: list[dict[str, Any]] = []
        try:
            yield parts
            self._client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
        except BaseException:
            self._client.abort_multipart_upload(**target)
            raise


def _readable(error: ClientError) -> Exception:
    """Return the error in words that the object's owner can act on, where the code says enough."""
    code = error.response["Error"]["Code"]
    advice = _UNREADABLE.get("AccessDenied" if code == "403" else code)
    return UnreadableObjectError(f"{advice} ({error})") if advice else error


def _stored(listed: dict[str, Any]) -> StoredObject:
    versioned = listed["VersionId"] != "null"
    version = listed["VersionId"] if versioned else listed["ETag"].strip('"')
    return StoredObject(listed["Key"], version, versioned, listed["Size"], listed["LastModified"])


def _parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for chunk in chunks:
        part += chunk
        if len(part) >= _WRITTEN_PART_BYTES:
            yield bytes(part)
            part.clear()
    yield bytes(part)
