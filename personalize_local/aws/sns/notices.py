"""Keep the last of what was published to topics and phone numbers, for tests and people to read."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_NOTICES = 1_000
MOST_BYTES = 16_000_000


@dataclass(frozen=True)
class Message:
    """What one subscriber gets of a notice."""

    protocol: str
    endpoint: str
    text: str


@dataclass(frozen=True)
class Notice:
    """One message as it was published: to a topic, or (`topic_arn` is None) to a phone number."""

    topic_arn: str | None
    message_id: str
    subject: str | None
    message: str
    attributes: Mapping[str, Any]
    published: str
    messages: tuple[Message, ...]

    @property
    def size_bytes(self) -> int:
        """Return about how much memory its texts take."""
        return len(self.message) + sum(len(message.text) for message in self.messages)


class Notices:
    """The last notices of a cloud, oldest first; the number and the bytes that are kept are bounded."""

    def __init__(self) -> None:
        self._kept: deque[Notice] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, notice: Notice) -> None:
        """Keep a notice, and forget the oldest beyond the bounds."""
        with self._lock:
            self._kept.append(notice)
            self._bytes += notice.size_bytes
            while len(self._kept) > MOST_NOTICES or (self._bytes > MOST_BYTES and len(self._kept) > 1):
                self._bytes -= self._kept.popleft().size_bytes

    def of(self, topic: str | None = None) -> list[Notice]:
        """Return the notices, or those of one topic, given by its name or its ARN."""
        with self._lock:
            return [kept for kept in self._kept if topic is None or _is(kept, topic)]


def _is(notice: Notice, topic: str) -> bool:
    return notice.topic_arn is not None and topic in {notice.topic_arn, notice.topic_arn.rpartition(":")[2]}
