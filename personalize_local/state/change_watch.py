"""Note what changes in moto's services, so that a moment writes only that.

Every change of an object or an item holds `gate`, from the first to the last thing a request does to it; the holder of
the gate sees all of them as they were at one instant. Queues have locks of their own.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response
from moto.sqs.models import SQSBackend

from personalize_local.aws.sqs.queues import LocalQueue
from personalize_local.state.documents import dumps

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class ChangedNames:
    """The names of everything that has changed: buckets, objects, tables, items, queues."""

    buckets: set[tuple[str, str]] = field(default_factory=set)  # account, bucket
    objects: set[tuple[str, str, str]] = field(default_factory=set)  # account, bucket, key
    tables: set[tuple[str, str, str]] = field(default_factory=set)  # account, region, table: those that went
    items: set[tuple[str, str, str, str]] = field(default_factory=set)  # account, region, table, key as JSON
    queues: set[str] = field(default_factory=set)  # ARNs

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def add(self, others: "ChangedNames") -> None:
        """Take over the others' names as well."""
        for name, changed in vars(self).items():
            changed.update(getattr(others, name))


class ChangeWatch:
    """Notes what has changed until it is taken."""

    def __init__(self) -> None:
        self.gate = threading.RLock()
        self._lock = threading.Lock()
        self._changed = ChangedNames()

    def note(self, **changes: tuple[str, ...] | str) -> None:
        """Note one change under the name of its set."""
        with self._lock:
            for name, change in changes.items():
                getattr(self._changed, name).add(change)

    def take(self) -> ChangedNames:
        """Return what has changed so far and begin anew."""
        with self._lock:
            taken, self._changed = self._changed, ChangedNames()
            return taken

    def peek(self) -> ChangedNames:
        """Return what has changed so far, which stays noted."""
        peeked = ChangedNames()
        with self._lock:
            peeked.add(self._changed)
        return peeked

    def give_back(self, changed: ChangedNames) -> None:
        """Note again what could not be acted on."""
        with self._lock:
            self._changed.add(changed)


Given = Mapping[str, Any]
Note = Callable[[ChangeWatch, Any, Given], None]


def _object(bucket: str = "bucket_name", key: str = "key_name") -> Note:
    return lambda watch, backend, given: watch.note(objects=(backend.account_id, given[bucket], given[key]))


def _bucket(watch: ChangeWatch, backend: Any, given: Given) -> None:
    watch.note(buckets=(backend.account_id, given["bucket_name"]))


def _tagged(watch: ChangeWatch, backend: Any, given: Given) -> None:
    watch.note(objects=(backend.account_id, given["key"].bucket_name, given["key"].name))


def _key(watch: ChangeWatch, key: Any, _given: Given) -> None:
    if key.bucket_name is not None:
        watch.note(objects=(key.account_id, key.bucket_name, key.name))


def _item(attributes: str) -> Note:
    def note(watch: ChangeWatch, table: Any, given: Given) -> None:
        note_item(watch, table, given[attributes])

    return note


def _deleted_item(watch: ChangeWatch, table: Any, given: Given) -> None:
    parts = {table.hash_key_attr: given["hash_key"], table.range_key_attr: given["range_key"]}
    note_item(watch, table, {name: {part.type: part.value} for name, part in parts.items() if part is not None})


def _updated_item(watch: ChangeWatch, backend: Any, given: Given) -> None:
    note_item(watch, backend.get_table(given["table_name"]), given["key"])


def note_item(watch: ChangeWatch, table: Any, attributes: Given) -> None:
    """Note a change of the item with these attributes, of which the key's count."""
    _, _, _, region, account_id, _ = table.table_arn.split(":", 5)
    with suppress(KeyError, TypeError, ValueError, ArithmeticError):  # the call will be refused
        watch.note(items=(account_id, region, table.name, item_key(table, attributes)))


def item_key(table: Any, attributes: Given) -> str:
    """Return the key of the item with these attributes as one text, the same however a number is written."""
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name is not None]
    found = {name: dict(attributes[name]) for name in names}
    for part in found.values():
        if "N" in part:
            part["N"] = format(Decimal(part["N"]).normalize(), "f")
    return dumps(found)


def _table(watch: ChangeWatch, backend: Any, given: Given) -> None:
    watch.note(tables=(backend.account_id, backend.region_name, given["name"]))


def _queue(watch: ChangeWatch, queue: Any, _given: Given) -> None:
    watch.note(queues=queue.queue_arn)


def _named_queue(watch: ChangeWatch, backend: Any, given: Given) -> None:
    if given["queue_name"] in backend.queues:
        watch.note(queues=backend.queues[given["queue_name"]].queue_arn)


# Where a change happens, and how to tell what has changed.
_GATED: Final[tuple[tuple[Any, str, Note], ...]] = (
    (S3Backend, "create_bucket", _bucket),
    (S3Backend, "delete_bucket", _bucket),
    (S3Backend, "put_bucket_versioning", _bucket),
    (S3Backend, "put_object", _object()),
    (S3Backend, "copy_object", _object("dest_bucket_name", "dest_key_name")),
    (S3Backend, "delete_object", _object()),
    (S3Backend, "delete_object_tagging", _object()),
    (S3Backend, "put_object_legal_hold", _object()),
    (S3Backend, "put_object_retention", _object()),
    (S3Backend, "put_object_tagging", _tagged),
    (FakeKey, "set_metadata", _key),
    (FakeKey, "set_storage_class", _key),
    (Table, "put_item", _item("item_attrs")),
    (Table, "delete_item", _deleted_item),
    (DynamoDBBackend, "update_item", _updated_item),
    (DynamoDBBackend, "transact_write_items", lambda *_: None),  # noted item by item, but one change
    (DynamoDBBackend, "delete_table", _table),
    (SQSBackend, "purge_queue", _named_queue),
    (SQSBackend, "delete_queue", _named_queue),
)
# A queue's methods run under its own lock, which is taken inside the gate, never outside.
_FREE: Final[tuple[tuple[Any, str, Note], ...]] = (
    (LocalQueue, "add_message", _queue),
    (LocalQueue, "_remove", _queue),
)
_REQUESTS: Final = ("_key_response", "_bucket_response")


@contextmanager
def watching() -> Iterator[ChangeWatch]:
    """Watch everything until the block ends."""
    watch = ChangeWatch()
    with ExitStack() as undoing:
        for owner, name, note in _GATED:
            _replace(undoing, owner, name, _noting(vars(owner)[name], watch, note, watch.gate))
        for owner, name, note in _FREE:
            _replace(undoing, owner, name, _noting_after(vars(owner)[name], watch, note))
        for name in _REQUESTS:
            _replace(undoing, S3Response, name, _gated(vars(S3Response)[name], watch.gate))
        yield watch


def _replace(undoing: ExitStack, owner: Any, name: str, ours: Callable[..., Any]) -> None:
    undoing.callback(setattr, owner, name, vars(owner)[name])
    setattr(owner, name, ours)


def _noting(original: Callable[..., Any], watch: ChangeWatch, note: Note, gate: Any) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def noted(owner: Any, *arguments: Any, **named: Any) -> Any:
        given = signature.bind(owner, *arguments, **named)
        with gate:
            note(watch, owner, given.arguments)
            return original(owner, *arguments, **named)

    return noted


def _noting_after(original: Callable[..., Any], watch: ChangeWatch, note: Note) -> Callable[..., Any]:
    @functools.wraps(original)
    def noted(owner: Any, *arguments: Any) -> None:
        try:
            original(owner, *arguments)
        finally:
            note(watch, owner, {})

    return noted


def _gated(original: Callable[..., Any], gate: threading.RLock) -> Callable[..., Any]:
    """Make all that a request does to an object one change: moto sets an object's metadata after it has put it."""

    @functools.wraps(original)
    def gated(response: Any, request: Any, *arguments: Any) -> Any:
        if request.method in _READING:
            return original(response, request, *arguments)
        with gate:
            return original(response, request, *arguments)

    return gated
