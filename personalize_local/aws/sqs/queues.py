"""Hold SQS queues that several threads can use at once, and that get by with thousands of messages.

moto's queue replaces its list of messages on every delete, and so loses a message that arrives meanwhile; two
receivers can get the same message; every receive and delete looks at all messages; and a queue with a Lambda function
behind it runs the function inside SendMessage.
"""

import copy
import math
import threading
from typing import Any

import moto.sqs.models
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from personalize_local.aws.corrections import Correction
from personalize_local.clock import CLOCK

DEDUPLICATION_SECONDS = 300
LONGEST_NAP_SECONDS = 0.25  # real
HELD = math.inf
HANDLES_REMEMBERED = 10_000  # of deleted messages, each of 185 letters: a second deletion comes soon


class LocalQueue(Queue):
    """A queue whose every change happens under one lock; messages are found by their receipt handle."""

    def __init__(self, name: str, region: str, account_id: str, **attributes: Any) -> None:
        super().__init__(name, region, account_id, **attributes)
        self.changed = threading.Condition()
        self._by_handle: dict[str, Message] = {}
        self._deleted: dict[str, None] = {}  # the handles of deleted messages, oldest first

    # moto counts three times for every message that is sent, and reads the clock for each message that it counts.

    @property
    def approximate_number_of_messages(self) -> int:
        """Return how many messages may be received now."""
        now = CLOCK.time() * 1000
        return sum(1 for message in list(self._messages) if message.visible_at < now and message.delayed_until <= now)

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """Return how many messages may not be received yet."""
        now = CLOCK.time() * 1000
        return sum(1 for message in list(self._messages) if message.delayed_until > now)

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """Return how many messages somebody has received and not deleted."""
        now = CLOCK.time() * 1000
        return sum(1 for message in list(self._messages) if message.visible_at >= now)

    def add_message(self, message: Message) -> None:
        """Add a message, unless a FIFO queue had its like in the last five minutes."""
        with self.changed:
            if not (self.fifo_queue and self._is_duplicate(message)):
                self._messages.append(message)
                self.changed.notify_all()

    def _is_duplicate(self, message: Message) -> bool:
        since = message.sent_timestamp - DEDUPLICATION_SECONDS * 1000  # type: ignore[operator]  # set before it is added
        return message.deduplication_id is not None and any(
            known.deduplication_id == message.deduplication_id and known.sent_timestamp > since  # type: ignore[operator]
            for known in self._messages
        )

    def delete_message(self, receipt_handle: str) -> None:
        """Delete the message this handle was ever given for; deleting it again does nothing."""
        with self.changed:
            if receipt_handle not in self._deleted:
                self._remove(self._find(receipt_handle))

    def _find(self, receipt_handle: str) -> Message:
        if receipt_handle not in self._by_handle:
            raise ReceiptHandleIsInvalid
        return self._by_handle[receipt_handle]

    def _remove(self, message: Message) -> None:
        self._messages.remove(message)
        self.pending_messages.discard(message)
        for handle in message.all_receipt_handles:
            if handle is not None and self._by_handle.pop(handle, None) is not None:
                self._deleted[handle] = None
        while len(self._deleted) > HANDLES_REMEMBERED:
            del self._deleted[next(iter(self._deleted))]

    def take(self, count: int, visibility_seconds: float) -> list[Message]:
        """Receive up to `count` messages; move those received too often to the dead-letter queue."""
        taken: list[Message] = []
        busy_groups: set[str | None] = set()
        with self.changed:
            for message in list(self._messages):
                if message.delayed or not message.visible:
                    busy_groups.add(message.group_id)
                elif self._is_expired(message):
                    self._remove(message)
                elif self._is_worn_out(message):
                    self._remove(message)
                    self.dead_letter_queue.add_message(message)  # type: ignore[union-attr]
                elif not (self.fifo_queue and message.group_id in busy_groups):
                    taken.append(self._received(message, visibility_seconds))
                if len(taken) == count:
                    break
        return taken

    def _received(self, message: Message, visibility_seconds: float) -> Message:
        message.mark_received()
        message.visible_at = (CLOCK.time() + visibility_seconds) * 1000
        self.pending_messages.add(message)
        self._by_handle[str(message.receipt_handle)] = message
        return message

    def _is_expired(self, message: Message) -> bool:
        retention: int = self.message_retention_period  # type: ignore[attr-defined]
        return message.sent_timestamp / 1000 + retention <= CLOCK.time()  # type: ignore[operator]

    def forget_expired(self) -> None:
        """Forget the messages that have been kept long enough, received or not; those being handled stay."""
        with self.changed:
            for message in [known for known in self._messages if self._is_expired(known)]:
                if message.visible_at != HELD:
                    self._remove(message)

    def _is_worn_out(self, message: Message) -> bool:
        policy = self.redrive_policy
        if self.dead_letter_queue is None or not policy:
            return False
        return message.approximate_receive_count >= policy["maxReceiveCount"]  # type: ignore[no-any-return]

    def show_again(self, message: Message, at_seconds: float) -> None:
        """Let a message that was held be received again from this simulated time on."""
        with self.changed:
            message.visible_at = at_seconds * 1000
            self.pending_messages.discard(message)
            self.changed.notify_all()

    def wait_for_message(self, nap_seconds: float = LONGEST_NAP_SECONDS) -> bool:
        """Wait for a moment, at most until a message can be received; return whether one can."""
        with self.changed:
            if not self._has_visible():
                self.changed.wait(min(nap_seconds, self._next_visible_real_seconds()))
            return self._has_visible()

    def _has_visible(self) -> bool:
        return any(message.visible and not message.delayed for message in self._messages)

    def _next_visible_real_seconds(self) -> float:
        moments = [max(message.visible_at, message.delayed_until) / 1000 for message in self._messages]
        return max(0.001, CLOCK.real_seconds(min(moments, default=math.inf) - CLOCK.time()))


class LocalSqs(SQSBackend):
    """moto's SQS on queues of our own."""

    @property
    def _url_module(self) -> Any:
        from moto.sqs import urls  # noqa: PLC0415 - moto looks for it beside the backend's class

        return urls

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        """Receive, waiting in simulated time for the first message."""
        queue: LocalQueue = self.get_queue(queue_name)  # type: ignore[assignment]
        until = CLOCK.time() + int(wait_seconds_timeout or 0)
        while not (taken := queue.take(count, int(visibility_timeout or 0))):
            if CLOCK.time() >= until:
                return []
            queue.wait_for_message(min(LONGEST_NAP_SECONDS, CLOCK.real_seconds(until - CLOCK.time())))
        copies = copy.deepcopy(taken)
        for message in copies:
            moto.sqs.models._filter_message_attributes(message, message_attribute_names or [])  # noqa: SLF001 - AWS's rules
        return copies

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        """Hide a message for longer, or show it now."""
        queue: LocalQueue = self.get_queue(queue_name)  # type: ignore[assignment]
        with queue.changed:
            message = queue._find(receipt_handle)  # noqa: SLF001 - our own queue
        queue.show_again(message, CLOCK.time() + int(visibility_timeout))


CORRECTIONS = (
    Correction(moto.sqs.models, "Queue", LocalQueue, "it loses and duplicates messages when threads share it"),
    Correction(sqs_backends, "backend", LocalSqs, "it receives from the list of messages without a lock"),
)
