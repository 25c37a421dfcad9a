"""Refuse messages and events that are larger than SQS and EventBridge take, measured in UTF-8 with all they carry."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend
from moto.sqs.exceptions import BatchRequestTooLong, InvalidParameterValue
from moto.sqs.models import SQSBackend

from personalize_local.aws.corrections import Correction
from personalize_local.aws.limits import EVENTS_ENTRIES, MESSAGE

TIME_BYTES = 14  # what PutEvents counts for an entry's time


def message_size(body: str, attributes: Mapping[str, Mapping[str, Any]] | None) -> int:
    """Return the size of a message: its body, and names, types and values of its attributes."""
    carried = sum(
        _utf8(name) + _utf8(attribute.get("DataType", "")) + sum(_utf8(attribute.get(kind) or "") for kind in VALUES)
        for name, attribute in (attributes or {}).items()
    )
    return _utf8(body) + carried


VALUES = ("StringValue", "BinaryValue")


def bounded_send(send: Callable[..., Any]) -> Callable[..., Any]:
    """Make sending one message refuse a body that is too long with its attributes."""

    def send_message(backend: Any, queue_name: str, message_body: str, *arguments: Any, **named: Any) -> Any:
        attributes = named.get("message_attributes") or (arguments[0] if arguments else None)
        longest = min(int(backend.get_queue(queue_name).maximum_message_size), MESSAGE.value)
        if message_size(message_body, attributes) > longest:
            raise InvalidParameterValue(
                f"One or more parameters are invalid. Reason: Message must be shorter than {longest} bytes."
            )
        return send(backend, queue_name, message_body, *arguments, **named)

    return send_message


def bounded_batch(send: Callable[..., Any]) -> Callable[..., Any]:
    """Make sending a batch refuse messages that are too long together."""

    def send_message_batch(backend: Any, queue_name: str, entries: Mapping[str, Mapping[str, Any]]) -> Any:
        total = sum(message_size(entry["MessageBody"], entry.get("MessageAttributes")) for entry in entries.values())
        if total > MESSAGE.value:
            raise BatchRequestTooLong(total)
        return send(backend, queue_name, entries)

    return send_message_batch


def bounded_events(put: Callable[..., Any]) -> Callable[..., Any]:
    """Make PutEvents refuse entries that are too large together."""

    def put_events(backend: Any, events: list[dict[str, Any]]) -> Any:
        if sum(map(entry_size, events)) > EVENTS_ENTRIES.value:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        return put(backend, events)

    return put_events


def entry_size(entry: Mapping[str, Any]) -> int:
    """Return the size of an entry as the EventBridge User Guide calculates it."""
    texts = [entry.get(member) or "" for member in ("Source", "DetailType", "Detail")]
    return (TIME_BYTES if entry.get("Time") else 0) + sum(map(_utf8, [*texts, *(entry.get("Resources") or [])]))


def _utf8(text: str | bytes) -> int:
    return len(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))


CORRECTIONS = (
    Correction(SQSBackend, "send_message", bounded_send(SQSBackend.send_message), "attributes count for nothing"),
    Correction(
        SQSBackend,
        "send_message_batch",
        bounded_batch(SQSBackend.send_message_batch),
        "it counts characters, and attributes for nothing",
    ),
    Correction(EventsBackend, "put_events", bounded_events(EventsBackend.put_events), "events have any size"),
)
