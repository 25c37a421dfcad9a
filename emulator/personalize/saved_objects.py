"""Keeping S3 objects across restarts: the present version of each, with its content type and metadata."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from moto.s3.models import s3_backends

_INDEX: Final = "objects.json"


def save_objects(directory: Path) -> int:
    """Write every object of every bucket below `directory`; return how many."""
    folder = directory / "s3"
    folder.mkdir(parents=True, exist_ok=True)
    index = [_save(account_id, bucket, key, folder) for account_id, bucket, key in _objects()]
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")
    kept = {entry["file"] for entry in index} | {_INDEX}
    for file in folder.iterdir():
        if file.name not in kept:
            file.unlink()
    return len(index)


def _objects() -> Iterator[tuple[str, Any, Any]]:
    backends: Iterator[tuple[str, str, Any]] = s3_backends.iter_backends()
    for account_id, _, backend in backends:
        for bucket in list(backend.buckets.values()):
            for key in list(bucket.keys.values()):
                if hasattr(key, "value"):  # delete markers have none
                    yield account_id, bucket, key


def _save(account_id: str, bucket: Any, key: Any, folder: Path) -> dict[str, Any]:
    body: bytes = key.value
    name = hashlib.sha256(f"{account_id} {bucket.name} {key.name}".encode()).hexdigest()
    (folder / name).write_bytes(body)
    return {
        "accountId": account_id,
        "bucket": bucket.name,
        "region": bucket.region_name,
        "key": key.name,
        "file": name,
        "metadata": dict(key.metadata),
        "versionId": key.version_id,
        "lastModified": key.last_modified.isoformat(),
    }


def restore_objects(directory: Path) -> int:
    """Put back what `save_objects` wrote, without a single notification; return how many objects.

    Call it after the stacks are deployed: buckets that are there get their objects, others are made anew.
    """
    file = directory / "s3" / _INDEX
    if not file.exists():
        return 0
    index = json.loads(file.read_text(encoding="utf-8"))
    for entry in index:
        _restore(entry, directory / "s3" / entry["file"])
    return len(index)


def _restore(entry: dict[str, Any], file: Path) -> None:
    backend = s3_backends[entry["accountId"]]["aws"]
    if entry["bucket"] not in backend.buckets:
        backend.create_bucket(entry["bucket"], entry["region"])
    with _silence(backend.buckets[entry["bucket"]]):
        restored = backend.put_object(entry["bucket"], entry["key"], file.read_bytes())
        restored.set_metadata(entry["metadata"], replace=True)
        restored._version_id = entry["versionId"]  # noqa: SLF001 - whoever remembers the version must find it again
        restored.last_modified = datetime.fromisoformat(entry["lastModified"])


@contextmanager
def _silence(bucket: Any) -> Iterator[None]:
    configuration, bucket.notification_configuration = bucket.notification_configuration, None
    try:
        yield
    finally:
        bucket.notification_configuration = configuration
