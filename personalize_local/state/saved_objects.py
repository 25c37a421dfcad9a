"""S3 objects as rows and back: every version, delete markers, metadata and tags; contents are files beside the rows."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from personalize_local.state.bodies import Bodies
from personalize_local.state.database import Changes, Database, Place, Row
from personalize_local.state.watching import Marks

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
    """Turns marked objects into rows; a content is written once, whatever is marked how often."""

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies
        self._written: dict[FakeKey, str] = {}

    def write_ahead(self, marks: Marks) -> None:
        """Put contents on disk that the moment will need, while others may still change them."""
        for account_id, bucket, key in marks.objects:
            owner = json.dumps([account_id, bucket, key])
            known = self._database.of(OBJECT, owner)
            for version in _versions(account_id, bucket, key):
                try:
                    self._row(owner, 0, version, known)
                except ValueError:  # deleted meanwhile: its buffer is closed
                    continue

    def changes(self, marks: Marks) -> Changes:
        """Return the rows of the marked buckets and objects as they are, and what goes; hold the gate."""
        found: dict[Place, Row | None] = {}
        for account_id, bucket in marks.buckets:
            found |= _bucket_change(account_id, bucket)
        for account_id, bucket, key in marks.objects:
            owner = json.dumps([account_id, bucket, key])
            known = self._database.of(OBJECT, owner)
            versions = _versions(account_id, bucket, key)
            rows = dict(self._row(owner, n, version, known) for n, version in enumerate(versions))
            found |= dict.fromkeys(known.keys() - rows.keys())
            found |= {place: row for place, row in rows.items() if known.get(place) != row}
        return found

    def forget(self) -> None:
        """Forget what was written ahead, once the moment is on disk."""
        self._written.clear()

    def _row(self, owner: str, number: int, version: Any, known: dict[Place, Row]) -> tuple[Place, Row]:
        place = Place(OBJECT, owner, version.version_id)
        told: dict[str, Any] = {"number": number, "lastModified": version.last_modified.isoformat()}
        if not isinstance(version, FakeKey):
            return place, Row(json.dumps({**told, "deleteMarker": True}))
        told |= {"etag": version.etag.strip('"'), "size": version.size, "metadata": dict(version.metadata)}
        told |= {name: getattr(version, attribute) for name, attribute in _ATTRIBUTES.items()}
        told["tags"] = _backend(version.account_id).tagger.get_tag_dict_for_resource(version.arn)
        return place, Row(json.dumps(told), self._body(version, told, known.get(place)))

    def _body(self, version: FakeKey, told: dict[str, Any], known: Row | None) -> str:
        if known is not None and known.body is not None:
            before = json.loads(known.document)
            if all(before[name] == told[name] for name in ("etag", "size", "lastModified")):
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


def _bucket_change(account_id: str, name: str) -> dict[Place, Row | None]:
    place = Place(BUCKET, json.dumps([account_id]), name)
    if name.startswith(_ASSETS):
        return {}
    bucket = _backend(account_id).buckets.get(name)
    if bucket is None:
        return {place: None}
    return {place: Row(json.dumps({"region": bucket.region_name, "versioning": bucket.versioning_status}))}


def present_objects() -> Marks:
    """Return marks for all buckets and objects that are there."""
    marks = Marks()
    for account_id, _, backend in _backends():
        for name, bucket in backend.buckets.items():
            marks.buckets.add((account_id, name))
            marks.objects |= {(account_id, name, key) for key in dict(bucket.keys)}
    return marks


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
    for place, row in database.all(BUCKET):
        (account_id,), told = json.loads(place.owner), json.loads(row.document)
        backend = _backend(account_id)
        if place.name not in backend.buckets:
            backend.create_bucket(place.name, told["region"])
            backend.buckets[place.name].versioning_status = told["versioning"]
    versions: dict[str, list[tuple[str, dict[str, Any], str | None]]] = {}
    for place, row in database.all(OBJECT):
        versions.setdefault(place.owner, []).append((place.name, json.loads(row.document), row.body))
    for owner, found in versions.items():
        account_id, bucket, key = json.loads(owner)
        if bucket in _backend(account_id).buckets:
            found.sort(key=lambda version: int(version[1]["number"]))
            _restore(account_id, bucket, key, found, bodies)


def _restore(
    account_id: str, bucket: str, name: str, versions: list[tuple[str, dict[str, Any], str | None]], bodies: Bodies
) -> None:
    restored: list[Any] = []
    for version_id, told, body in versions:
        if body is None:
            version: Any = FakeDeleteMarker(restored[-1] if restored else SimpleNamespace(name=name))  # type: ignore[arg-type]
            version._version_id = version_id  # noqa: SLF001 - moto draws a new one
        else:
            version = _key(account_id, bucket, name, version_id, told, bodies.read(body))
        version.last_modified = datetime.fromisoformat(told["lastModified"])
        restored.append(version)
    _backend(account_id).buckets[bucket].keys.setlist(name, restored)


def _key(account_id: str, bucket: str, name: str, version_id: str, told: dict[str, Any], body: bytes) -> FakeKey:
    backend = _backend(account_id)
    key = FakeKey(name, body, account_id, backend.region_name, version_id=version_id, bucket_name=bucket)
    key._etag = told["etag"]  # noqa: SLF001 - that of a multipart upload cannot be computed
    key.metadata.clear()
    key.metadata.update(told["metadata"])
    for attribute, value in ((_ATTRIBUTES[each], told[each]) for each in _ATTRIBUTES):
        setattr(key, attribute, value)
    if told["tags"]:
        backend.tagger.tag_resource(key.arn, [{"Key": tag, "Value": value} for tag, value in told["tags"].items()])
    return key
