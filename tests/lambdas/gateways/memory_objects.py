"""A versioned bucket in memory, with the part of the S3 gateway's face that the domain uses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.gateways.s3 import Body, Marker, StoredObject


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    number: str
    content: bytes
    modified: datetime


@dataclass
class MemoryObjects:
    """Keeps every version of every key."""

    bucket: str = "bucket"
    versions: dict[str, list[Version]] = field(default_factory=dict)
    chunk_bytes: int = 1 << 16
    page_size: int = 1000
    uploads: int = 0
    listings: int = 0
    tags: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # by key and version
    # What a call about a key ends with, by the name of the call: `chunks` breaks while the body is read.
    troubles: dict[tuple[str, str], BaseException] = field(default_factory=dict)

    def _trouble(self, call: str, key: str) -> None:
        if error := self.troubles.get((call, key)):
            raise error

    def upload(self, key: str, content: bytes, modified: datetime) -> Version:
        self.uploads += 1
        version = Version(f"v{self.uploads:04d}", content, modified)
        self.versions.setdefault(key, []).append(version)
        return version

    def open(self, key: str, offset: int = 0, chunk_bytes: int = 8 << 20) -> Body | None:
        self._trouble("open", key)
        if key not in self.versions:
            return None
        newest = self.versions[key][-1]
        size = min(chunk_bytes, self.chunk_bytes)
        content = newest.content[offset:]
        chunks = (content[start : start + size] for start in range(0, len(content), size))
        return Body(newest.number, "etag", self._breaking(key, chunks))

    def _breaking(self, key: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self._trouble("chunks", key)

    def text(self, key: str) -> str | None:
        body = self.open(key)
        return b"".join(body.chunks).decode() if body else None

    def write(self, key: str, content: bytes, content_type: str) -> None:
        assert content_type
        self._trouble("write", key)
        self.upload(key, content, datetime.fromisoformat("2026-01-01T00:00:00Z"))

    def write_stream(self, key: str, chunks: Iterator[bytes]) -> None:
        self.write(key, b"".join(chunks), "text/csv")

    def keys(self, prefix: str) -> Iterator[str]:
        return (key for key in sorted(self.versions) if key.startswith(prefix))

    def current_version(self, key: str, *, versioned: bool) -> str | None:
        assert versioned
        self._trouble("current_version", key)
        return self.versions[key][-1].number if key in self.versions else None

    def tag(self, key: str, version: str, tag: tuple[str, str], *, versioned: bool) -> None:
        assert versioned
        self._trouble("tag", key)
        self.tags[key, version] = tag

    def page_of_versions(self, prefix: str, after: Marker | None) -> tuple[list[StoredObject], Marker | None]:
        self.listings += 1
        keys = [key for key in self.keys(prefix) if after is None or key > after.key]
        page = [self._stored(key) for key in keys[: self.page_size]]
        more = len(keys) > self.page_size
        return page, Marker(page[-1].key, page[-1].version) if more else None

    def _stored(self, key: str) -> StoredObject:
        newest = self.versions[key][-1]
        return StoredObject(key, newest.number, True, len(newest.content), newest.modified)

    def copy(self, key: str, version: str, target: str, *, versioned: bool, size_bytes: int) -> bool:
        assert versioned
        self._trouble("copy", key)
        for known in self.versions.get(key, []):
            if known.number == version:
                assert len(known.content) == size_bytes
                self.upload(target, known.content, known.modified)
                return True
        return False
