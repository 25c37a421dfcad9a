"""Serve a file as S3's client does, so that the gateway's own code reads and writes it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

VERSION: Final = "1"


class NothingThereError(Exception):
    """The key has no object."""


class FolderClient:
    """The part of boto3's S3 client that the gateway calls; every key is the same file, what is written is counted."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.exceptions = SimpleNamespace(NoSuchKey=NothingThereError, ClientError=ClientError)
        self.written_bytes = 0

    def get_object(self, **_: Any) -> dict[str, Any]:
        """Open the file."""
        body = StreamingBody(self._file.open("rb"), self._file.stat().st_size)
        return {"Body": body, "VersionId": VERSION, "ETag": '"etag"'}

    def get_paginator(self, _operation: str) -> "FolderClient":
        """Return what lists nothing."""
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        """List nothing: no copy is there yet."""
        yield {}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        """Begin to write."""
        return {"UploadId": "upload"}

    def upload_part(self, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 -- S3's own name for it
        """Count a part."""
        self.written_bytes += len(Body)
        return {"ETag": "etag"}

    def complete_multipart_upload(self, **_: Any) -> None:
        """End to write."""
