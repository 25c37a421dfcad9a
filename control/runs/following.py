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
            # The status first: what happens between the two looks is then seen by the next one.
            root.execution = self._reader.read(arn)
            yield from self._look(root)
            if root.execution.status != RUNNING:
                return
            self._sleep(self._pause_seconds)
        raise StillRunningError(f"{arn} is still running; `run --attach` goes on following it")

    def _look(self, followed: _Followed) -> Iterator[Step]:
        arn, after = followed.execution.arn, followed.seen
        entries = self._reader.entries(arn, after)
        if followed.depth < _DEEPEST:
            for child in self._reader.children(arn, after):
                followed.children.append(_Followed(self._reader.read(child), followed.depth + 1))
        for entry in entries:
            followed.seen = max(followed.seen, entry.event_id)
            if entry.state not in followed.states:
                followed.states.add(entry.state)
                execution = followed.execution
                yield Step(entry.time, followed.depth, execution.machine, subject(execution), entry.state)
        for child_run in followed.children:
            if child_run.seen == 0 or child_run.execution.status == RUNNING:
                child_run.execution = self._reader.read(child_run.execution.arn)
                yield from self._look(child_run)


def subject(execution: Execution) -> str:
    """Return what an execution is about, in two or three words: ``campaign movies``, ``movies interactions``."""
    given: dict[str, Any] = dict(execution.input)
    if "type" in given and isinstance(given.get("request"), dict):
        wanted = given["request"]
        name = wanted.get("name") or wanted.get("jobName") or wanted.get("datasetType", "").lower()
        return f"{str(given['type']).replace('_', ' ')} {name}".strip()
    words = [execution.group, *(str(given[key]) for key in ("dataset", "solution", "template") if given.get(key))]
    return " ".join(word for word in words if word)
