"""Count the history of an execution while it grows, and pack it once it has ended.

What the interpreter needs to run an execution takes some hundred kilobytes; its history, compressed, a few.
"""

import pickle
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Events = list[dict[str, Any]]


def transitions(events: Iterable[dict[str, Any]]) -> int:
    """Return how many states were entered; a retried state counts again, as Step Functions bills it."""
    counts = Counter(str(event["type"].value) for event in events)
    entered = sum(count for kind, count in counts.items() if kind.endswith("StateEntered"))
    started = counts["LambdaFunctionScheduled"] + counts["TaskScheduled"]
    retried = (
        max(0, started - counts["TaskStateEntered"])
        + max(0, counts["ParallelStateStarted"] - counts["ParallelStateEntered"])
        + max(0, counts["MapStateStarted"] - counts["MapStateEntered"])
    )
    return entered + retried


class PackedHistory:
    """All events of an execution that has ended, compressed; how many states it entered is still at hand."""

    def __init__(self, events: Sequence[dict[str, Any]]) -> None:
        self.transitions = transitions(events)
        self._packed = zlib.compress(pickle.dumps(events))

    def events(self) -> Events:
        """Return the events, unpacked anew for each caller."""
        unpacked: Events = pickle.loads(zlib.decompress(self._packed))  # noqa: S301 - packed above, never stored
        return unpacked
