"""Turn S3 objects into rows and back, with every version; their contents are files beside the rows."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from personalize_local.state.bodies import Bodies
from personalize_local.state.change_watch import ChangedNames
from personalize_local.state.database import Changes, Database, Row, RowKey

OBJECT: Final = "object"
BUCKET: Final = "bucket"
_ASSETS: Final = "cdk-hnb659fds-assets-"  # each deployment brings them again
# What is kept of an object beside content, metadata and tags: our name, and the attribute of moto's.
_ATTRIBUTES: Final = {
    "storageClass": "_storage_class",
    "versioned": "_is_versioned",
    "encryption": "encryption",
    "kmsKeyId": "kms_key_id",
    "bucketKeyEnabled": "bucket_key_enabled",
    "lockMode": "lock_mode",
    "lockLegalStatus": "lock_legal_status",
    "lockUntil": "lock_until",
    "checksumAlgorithm": "checksum_algorithm",
    "checksumValue": "checksum_value",
    "checksumType": "checksum_type",
    "checksumParts": "checksum_parts",
    "websiteRedirectLocation": "website_redirect_location",
}
NameOf = Callable[[Any], str]  # puts an object's content on disk


class ObjectWriter:
    """Turns changed objects into rows; a content is written once, however often its object changes."""

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies
        self._written: dict[FakeKey, str] = {}

    def write_ahead(self, changed: ChangedNames) -> None:
        """Put contents on disk that the moment will need, while others may still change them."""
        for account_id, bucket, key in changed.objects:
            owner = json.dumps([account_id, bucket, key])
            known = self._database.of(OBJECT, owner)
            for version in _versions(account_id, bucket, key):
                try:
                    self._row(owner, 0, version, known)
                except ValueError:  # deleted meanwhile: its buffer is closed
                    continue

    def changes(self, changed: ChangedNames) -> Changes:
        """Return the rows of the changed buckets and objects as they are, and what goes; hold the gate."""
        changes: dict[RowKey, Row | None] = {}
        for account_id, bucket in changed.buckets:
            changes |= _bucket_change(account_id, bucket)
        for account_id, bucket, key in changed.objects:
            owner = json.dumps([account_id, bucket, key])
            known = self._database.of(OBJECT, owner)
            versions = _versions(account_id, bucket, key)
            rows = dict(self._row(owner, n, version, known) for n, version in enumerate(versions))
            changes |= dict.fromkeys(known.keys() - rows.keys())
            changes |= {row_key: row for row_key, row in rows.items() if known.get(row_key) != row}
        return changes

    def forget(self) -> None:
        """Forget what was written ahead, once the moment is on disk."""
        self._written.clear()

    def _row(self, owner: str, number: int, version: Any, known: dict[RowKey, Row]) -> tuple[RowKey, Row]:
        row_key = RowKey(OBJECT, owner, version.version_id)
        document: dict[str, Any] = {"number": number, "lastModified": version.last_modified.isoformat()}
        if not isinstance(version, FakeKey):
            return row_key, Row(json.dumps({**document, "deleteMarker": True}))
        document |= {"etag": version.etag.strip('"'), "size": version.size, "metadata": dict(version.metadata)}
        document |= {name: getattr(version, attribute) for name, attribute in _ATTRIBUTES.items()}
        document["tags"] = _backend(version.account_id).tagger.get_tag_dict_for_resource(version.arn)
        return row_key, Row(json.dumps(document), self._body(version, document, known.get(row_key)))

    def _body(self, version: FakeKey, document: dict[str, Any], known: Row | None) -> str:
        if known is not None and known.body is not None:
            before = json.loads(known.document)
            if all(before[name] == document[name] for name in ("etag", "size", "lastModified")):
                return known.body
        if version not in self._written:
            self._written[version] = self._bodies.write(version.value)
        return self._written[version]


def _backend(account_id: str) -> Any:
    return s3_backends[account_id]["aws"]


def _versions(account_id: str, bucket: str, key: str) -> list[Any]:
    if bucket.startswith(_ASSETS) or bucket not in _backend(account_id).buckets:
        return []
    return list(_backend(account_id).buckets[bucket].keys.getlist(key, []))


def _bucket_change(account_id: str, name: str) -> dict[RowKey, Row | None]:
    row_key = RowKey(BUCKET, json.dumps([account_id]), name)
    if name.startswith(_ASSETS):
        return {}
    bucket = _backend(account_id).buckets.get(name)
    if bucket is None:
        return {row_key: None}
    return {row_key: Row(json.dumps({"region": bucket.region_name, "versioning": bucket.versioning_status}))}


def present_objects() -> ChangedNames:
    """Return the names of all buckets and objects that are there."""
    changed = ChangedNames()
    for account_id, _, backend in _backends():
        for name, bucket in backend.buckets.items():
            changed.buckets.add((account_id, name))
            changed.objects |= {(account_id, name, key) for key in dict(bucket.keys)}
    return changed


def _backends() -> Iterator[tuple[str, str, Any]]:
    return iter(list(s3_backends.iter_backends()))


def check_bucket(owner: list[str], document: dict[str, Any]) -> None:
    """Raise unless a row is as `restore_objects` needs it."""
    (_account_id,) = owner
    _ = document["region"], document["versioning"]


def check_object(owner: list[str], document: dict[str, Any]) -> None:
    """Raise unless a row is as `restore_objects` needs it."""
    _account_id, _bucket, _key = owner
    _ = int(document["number"]), datetime.fromisoformat(document["lastModified"])
    if "deleteMarker" not in document:
        _ = document["etag"], int(document["size"]), dict(document["metadata"]), dict(document["tags"])
        for name in _ATTRIBUTES:
            _ = document[name]


def restore_objects(database: Database, bodies: Bodies) -> None:
    """Put buckets and objects back, without an event; buckets that a deployment has made keep their settings."""
    for row_key, row in database.all(BUCKET):
        (account_id,), document = json.loads(row_key.owner), json.loads(row.document)
        backend = _backend(account_id)
        if row_key.name not in backend.buckets:
            backend.create_bucket(row_key.name, document["region"])
            backend.buckets[row_key.name].versioning_status = document["versioning"]
    versions: dict[str, list[tuple[str, dict[str, Any], str | None]]] = {}
    for row_key, row in database.all(OBJECT):
        versions.setdefault(row_key.owner, []).append((row_key.name, json.loads(row.document), row.body))
    for owner, of_key in versions.items():
        account_id, bucket, key = json.loads(owner)
        if bucket in _backend(account_id).buckets:
            of_key.sort(key=lambda version: int(version[1]["number"]))
            _restore(account_id, bucket, key, of_key, bodies)


def _restore(
    account_id: str, bucket: str, name: str, versions: list[tuple[str, dict[str, Any], str | None]], bodies: Bodies
) -> None:
    restored: list[Any] = []
    for version_id, document, body in versions:
        if body is None:
            version: Any = FakeDeleteMarker(restored[-1] if restored else SimpleNamespace(name=name))  # type: ignore[arg-type]
            version._version_id = version_id  # noqa: SLF001 - moto draws a new one
        else:
            version = _key(account_id, bucket, name, version_id, document, bodies.read(body))
        version.last_modified = datetime.fromisoformat(document["lastModified"])
        restored.append(version)
    _backend(account_id).buckets[bucket].keys.setlist(name, restored)


def _key(account_id: str, bucket: str, name: str, version_id: str, document: dict[str, Any], body: bytes) -> FakeKey:
    backend = _backend(account_id)
    key = FakeKey(name, body, account_id, backend.region_name, version_id=version_id, bucket_name=bucket)
    key._etag = document["etag"]  # noqa: SLF001 - that of a multipart upload cannot be computed
    key.metadata.clear()
    key.metadata.update(document["metadata"])
    for attribute, value in ((_ATTRIBUTES[each], document[each]) for each in _ATTRIBUTES):
        setattr(key, attribute, value)
    if document["tags"]:
        backend.tagger.tag_resource(key.arn, [{"Key": tag, "Value": value} for tag, value in document["tags"].items()])
    return key
