"""A resource's way from its first to its last status: a pure function of the clock and of how the real work ended."""

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

_PENDING_SHARE: Final = 0.2
_PENDING_SECONDS_AT_MOST: Final = 30.0


@dataclass(frozen=True)
class Words:
    """The exact words of one way through life; clients compare them letter by letter."""

    pending: str
    running: str
    done: str
    failed: str


def _words(verb: str, done: str = "ACTIVE") -> Words:
    return Words(f"{verb} PENDING", f"{verb} IN_PROGRESS", done, f"{verb} FAILED")


CREATE: Final = _words("CREATE")
UPDATE: Final = _words("UPDATE")
START: Final = _words("START")
STOP: Final = _words("STOP", done="INACTIVE")
DELETE: Final = _words("DELETE", done="")  # nothing shows a deleted resource
DELETION_JOB: Final = Words("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED")
DOCUMENTED_BATCH: Final = Words("PENDING", "IN PROGRESS", "ACTIVE", "CREATE FAILED")
STOP_TRAINING: Final = Words("CREATE STOPPING", "CREATE STOPPING", "CREATE STOPPED", "CREATE STOPPED")


@dataclass(frozen=True)
class Gain:
    """What finished work adds to its resource: members that clients see, and notes for ourselves."""

    members: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    extra_seconds: float = 0.0  # simulated, for what turned out to be large


@dataclass(frozen=True)
class Outcome:
    """How real work ended: when (simulated), why not, and what it brought."""

    at: float
    reason: str | None = None
    gain: Gain = field(default_factory=Gain)


class Work(Protocol):
    """Real work under way; the outcome is None until it ended."""

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, if it did."""


@dataclass(frozen=True)
class Stage:
    """Where a course stands at one moment."""

    status: str
    since: float
    over: bool = False
    failed: bool = False
    reason: str | None = None
    gain: Gain = field(default_factory=Gain)


@dataclass(frozen=True)
class Course:
    """One way through life: ends when the simulated seconds have passed and the real work is done, not before."""

    words: Words
    started: float
    seconds: float
    work: Work | None = None
    failure: str | None = None  # decided beforehand, by an injected fault

    def at(self, now: float) -> Stage:
        """Return the stage at the simulated time `now`."""
        outcome = Outcome(self.started) if self.work is None else self.work.outcome
        if outcome is None:
            return self._under_way(now)
        ended = max(self.started + self.seconds + outcome.gain.extra_seconds, outcome.at)
        if now < ended:
            return self._under_way(now)
        reason = self.failure or outcome.reason
        if reason:
            return Stage(self.words.failed, ended, over=True, failed=True, reason=reason)
        return Stage(self.words.done, ended, over=True, gain=outcome.gain)

    def _under_way(self, now: float) -> Stage:
        running_since = self.started + min(_PENDING_SHARE * self.seconds, _PENDING_SECONDS_AT_MOST)
        if now < running_since:
            return Stage(self.words.pending, self.started)
        return Stage(self.words.running, running_since)


def settled(words: Words, at: float) -> Course:
    """Return a course that ended well at once."""
    return Course(words, at, 0.0)
