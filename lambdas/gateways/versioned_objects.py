"""Reach the old versions of the bucket's objects as well, and erase them: for what has to be found nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lambdas.gateways.concurrency import each

_PAGE = 1000


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object, or a marker of its deletion."""

    key: str
    version_id: str
    size_bytes: int
    is_latest: bool
    is_marker: bool


class VersionedObjects:
    """All versions of the objects of one bucket, through a client of boto3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield every version and deletion marker below a prefix, in the order of keys, the newest first."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for listed in page.get(kind, ()):
                    yield ObjectVersion(
                        listed["Key"],
                        listed["VersionId"],
                        listed.get("Size", 0),
                        listed["IsLatest"],
                        kind == "DeleteMarkers",
                    )

    def chunks(self, version: ObjectVersion) -> Iterator[bytes]:
        """Return the bytes of one version."""
        answer = self._client.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version_id)
        return iter(answer["Body"].iter_chunks(8 << 20))

    def erase(self, version: ObjectVersion) -> None:
        """Delete one version for good; one that is gone needs nothing."""
        self._client.delete_object(Bucket=self._bucket, Key=version.key, VersionId=version.version_id)

    def erase_below(self, prefix: str) -> bool:
        """Erase up to a thousand versions below a prefix; say whether that were all."""
        some = list(islice(self.versions(prefix), _PAGE))
        each(self.erase, some)
        return len(some) < _PAGE
