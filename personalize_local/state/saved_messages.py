"""Turn messages of SQS queues into rows and back; one that was received can be received again."""

import json
from collections.abc import Iterator
from typing import Any, Final

from moto.sqs.models import Message, sqs_backends

from personalize_local.aws.sqs.queues import LocalQueue
from personalize_local.state.change_watch import ChangedNames
from personalize_local.state.database import Changes, Database, Row, RowKey
from personalize_local.state.documents import dumps, loads

MESSAGE: Final = "message"
_ATTRIBUTES: Final = (
    "sender_id", "sent_timestamp", "approximate_first_receive_timestamp", "approximate_receive_count",
    "deduplication_id", "group_id", "sequence_number", "delayed_until", "system_attributes", "message_attributes",
)  # fmt: skip


def message_changes(changed: ChangedNames, database: Database) -> Changes:
    """Return the messages that came to the changed queues and those that went; hold the gate."""
    changes: dict[RowKey, Row | None] = {}
    for arn in changed.queues:
        owner, known = json.dumps([arn]), database.of(MESSAGE, json.dumps([arn])).keys()
        messages = {RowKey(MESSAGE, owner, message.id): message for message in _messages(arn)}
        changes |= dict.fromkeys(known - messages.keys())
        changes |= {
            row_key: Row(_document(messages[row_key], n)) for n, row_key in enumerate(messages) if row_key not in known
        }
    return changes


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
    document = {name: getattr(message, name) for name in _ATTRIBUTES}
    return dumps({**document, "body": message.body, "number": number})


def present_messages() -> ChangedNames:
    """Return the names of all queues that are there."""
    return ChangedNames(queues={queue.queue_arn for backend in _backends() for queue in backend.queues.values()})


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
    rows = [(row_key, loads(row.document)) for row_key, row in database.all(MESSAGE)]
    for row_key, document in sorted(rows, key=lambda each: (each[1]["sent_timestamp"], each[1]["number"])):
        queue = _queue(json.loads(row_key.owner)[0])
        if queue is not None:
            message = Message(row_key.name, document["body"])
            for name in _ATTRIBUTES:
                setattr(message, name, document[name])
            queue.add_message(message)
