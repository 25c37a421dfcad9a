"""Compute a resource's status, from its first to its last, from the clock and from how its background job ended."""

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

_PENDING_SHARE: Final = 0.2
_PENDING_SECONDS_AT_MOST: Final = 30.0


@dataclass(frozen=True)
class StatusWords:
    """The exact words of one timeline; clients compare them letter by letter."""

    pending: str
    running: str
    done: str
    failed: str


def _words(verb: str, done: str = "ACTIVE") -> StatusWords:
    return StatusWords(f"{verb} PENDING", f"{verb} IN_PROGRESS", done, f"{verb} FAILED")


CREATE: Final = _words("CREATE")
UPDATE: Final = _words("UPDATE")
START: Final = _words("START")
STOP: Final = _words("STOP", done="INACTIVE")
DELETE: Final = _words("DELETE", done="")  # nothing shows a deleted resource
DELETION_JOB: Final = StatusWords("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED")
DOCUMENTED_BATCH: Final = StatusWords("PENDING", "IN PROGRESS", "ACTIVE", "CREATE FAILED")
STOP_TRAINING: Final = StatusWords("CREATE STOPPING", "CREATE STOPPING", "CREATE STOPPED", "CREATE STOPPED")


@dataclass(frozen=True)
class JobResult:
    """What a finished job adds to its resource: members that clients see, and notes for ourselves."""

    members: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    extra_seconds: float = 0.0  # simulated, for what turned out to be large


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended: when (simulated), why it failed if it did, and its result."""

    at: float
    reason: str | None = None
    result: JobResult = field(default_factory=JobResult)


class BackgroundJob(Protocol):
    """A job under way or over; the outcome is None until it has ended."""

    @property
    def outcome(self) -> JobOutcome | None:
        """How it ended, if it did."""


@dataclass(frozen=True)
class TimelinePoint:
    """Where a timeline stands at one moment."""

    status: str
    since: float
    over: bool = False
    failed: bool = False
    reason: str | None = None
    result: JobResult = field(default_factory=JobResult)


@dataclass(frozen=True)
class StatusTimeline:
    """One transition of a resource: it ends when its simulated seconds have passed and its job is over, not before."""

    words: StatusWords
    started: float
    seconds: float
    job: BackgroundJob | None = None
    failure: str | None = None  # decided beforehand, by an injected fault

    def at(self, now: float) -> TimelinePoint:
        """Return where it stands at the simulated time `now`."""
        outcome = JobOutcome(self.started) if self.job is None else self.job.outcome
        if outcome is None:
            return self._under_way(now)
        ended = self._end(outcome)
        if now < ended:
            return self._under_way(now)
        reason = self.failure or outcome.reason
        if reason:
            return TimelinePoint(self.words.failed, ended, over=True, failed=True, reason=reason)
        return TimelinePoint(self.words.done, ended, over=True, result=outcome.result)

    @property
    def end(self) -> float | None:
        """When it ends, or None while its job is under way."""
        outcome = JobOutcome(self.started) if self.job is None else self.job.outcome
        return None if outcome is None else self._end(outcome)

    def _end(self, outcome: JobOutcome) -> float:
        return max(self.started + self.seconds + outcome.result.extra_seconds, outcome.at)

    def _under_way(self, now: float) -> TimelinePoint:
        running_since = self.started + min(_PENDING_SHARE * self.seconds, _PENDING_SECONDS_AT_MOST)
        if now < running_since:
            return TimelinePoint(self.words.pending, self.started)
        return TimelinePoint(self.words.running, running_since)
