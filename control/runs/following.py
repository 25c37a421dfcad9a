"""Follow an execution and what it starts, state by state, until it ends."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from control.runs.execution_reader import RUNNING, Execution, ExecutionReader

_DEEPEST: Final = 4  # pipeline, import_data, import_uploads, ensure_resource


class StillRunningError(Exception):
    """Our patience ended; the execution goes on."""


@dataclass(frozen=True)
class Step:
    """A state that an execution, or one that it started, came to; `depth` counts from the one that is followed."""

    time: datetime
    depth: int
    machine: str
    subject: str
    state: str


@dataclass
class _Followed:
    execution: Execution
    depth: int
    seen: int = 0  # the last event that was looked at
    ended: bool = False
    states: set[str] = field(default_factory=set)
    children: list["_Followed"] = field(default_factory=list)


class Follower:
    """Looks at an execution every `pause_seconds`, for at most `patience_seconds`."""

    def __init__(
        self,
        reader: ExecutionReader,
        *,
        pause_seconds: float,
        patience_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reader = reader
        self._pause_seconds = pause_seconds
        self._looks = max(1, round(patience_seconds / pause_seconds))
        self._sleep = sleep

    def follow(self, arn: str) -> Iterator[Step]:
        """Yield each state once, also those of wait loops, as they are come to. Raises StillRunningError."""
        root = _Followed(self._reader.read(arn), 0)
        for _ in range(self._looks):
            root.execution = self._reader.read(arn)
            yield from self._look(root)
            if root.execution.status != RUNNING:
                return
            self._sleep(self._pause_seconds)
        raise StillRunningError(f"{arn} is still running; `run --attach` goes on following it")

    def _look(self, followed: _Followed) -> Iterator[Step]:
        execution, depth = followed.execution, followed.depth
        progress = self._reader.progress(execution.arn, followed.seen)
        followed.seen = progress.last_event_id
        for entry in progress.entries:
            if entry.state not in followed.states:
                followed.states.add(entry.state)
                yield Step(entry.time, depth, execution.machine, subject(execution), entry.state)
        if depth < _DEEPEST:
            followed.children += [_Followed(self._reader.read(arn), depth + 1) for arn in progress.children]
        for child in followed.children:
            if not child.ended:
                # The status first: what happens between the two looks is then seen by the next one.
                child.execution = self._reader.read(child.execution.arn)
                child.ended = child.execution.status != RUNNING
                yield from self._look(child)


def subject(execution: Execution) -> str:
    """Return what an execution is about, in two or three words: ``campaign movies``, ``movies interactions``."""
    given: dict[str, Any] = dict(execution.input)
    if "type" in given and isinstance(given.get("request"), dict):
        wanted = given["request"]
        name = wanted.get("name") or wanted.get("jobName") or wanted.get("datasetType", "").lower()
        return f"{str(given['type']).replace('_', ' ')} {name}".strip()
    words = [execution.group, *(str(given[key]) for key in ("dataset", "solution", "template") if given.get(key))]
    return " ".join(word for word in words if word)
