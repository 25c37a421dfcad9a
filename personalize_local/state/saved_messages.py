"""Messages of SQS queues as rows and back. A message that somebody had received can be received again."""

import json
from collections.abc import Iterator
from typing import Any, Final

from moto.sqs.models import Message, sqs_backends

from personalize_local.aws.sqs.queues import LocalQueue
from personalize_local.state.database import Changes, Database, Place, Row
from personalize_local.state.documents import dumps, loads
from personalize_local.state.watching import Marks

MESSAGE: Final = "message"
_ATTRIBUTES: Final = (
    "sender_id", "sent_timestamp", "approximate_first_receive_timestamp", "approximate_receive_count",
    "deduplication_id", "group_id", "sequence_number", "delayed_until", "system_attributes", "message_attributes",
)  # fmt: skip


def message_changes(marks: Marks, database: Database) -> Changes:
    """Return the messages that came to the marked queues and those that went; hold the gate."""
    found: dict[Place, Row | None] = {}
    for arn in marks.queues:
        owner, known = json.dumps([arn]), database.of(MESSAGE, json.dumps([arn])).keys()
        messages = {Place(MESSAGE, owner, message.id): message for message in _messages(arn)}
        found |= dict.fromkeys(known - messages.keys())
        found |= {place: Row(_document(messages[place], n)) for n, place in enumerate(messages) if place not in known}
    return found


def _messages(arn: str) -> list[Message]:
    queue = _queue(arn)
    if queue is None:
        return []
    with queue.changed:
        return list(queue._messages)  # noqa: SLF001 - our own queue


def _queue(arn: str) -> LocalQueue | None:
    *_, region, account_id, name = arn.split(":")
    queue: Any = sqs_backends[account_id][region].queues.get(name)
    return queue if isinstance(queue, LocalQueue) else None


def _document(message: Message, number: int) -> str:
    told = {name: getattr(message, name) for name in _ATTRIBUTES}
    return dumps({**told, "body": message.body, "number": number})


def present_messages() -> Marks:
    """Return marks for all queues that are there."""
    return Marks(queues={queue.queue_arn for backend in _backends() for queue in backend.queues.values()})


def _backends() -> Iterator[Any]:
    return iter([backend for _, _, backend in sqs_backends.iter_backends()])


def check_message(owner: list[str], document: dict[str, Any]) -> None:
    """Raise unless a row is as `restore_messages` needs it."""
    (arn,) = owner
    *_, _region, _account_id, _name = arn.split(":")
    for name in (*_ATTRIBUTES, "body", "number"):
        _ = document[name]


def restore_messages(database: Database) -> None:
    """Put the messages back into all queues that are there, in the order in which they came."""
    found = [(place, loads(row.document)) for place, row in database.all(MESSAGE)]
    for place, told in sorted(found, key=lambda each: (each[1]["sent_timestamp"], each[1]["number"])):
        queue = _queue(json.loads(place.owner)[0])
        if queue is not None:
            message = Message(place.name, told["body"])
            for name in _ATTRIBUTES:
                setattr(message, name, told[name])
            queue.add_message(message)
