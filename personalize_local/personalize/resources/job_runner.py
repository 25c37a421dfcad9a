"""Run the background jobs of resources (reading S3, importing, training) off the callers' threads."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass

from personalize_local.clock import CLOCK
from personalize_local.engine.api import EngineError
from personalize_local.personalize.resources.status_timeline import JobOutcome, JobResult, StatusWords

_LOG = logging.getLogger(__name__)
Task = Callable[[], JobResult | None]


@dataclass(frozen=True)
class CreationOptions:
    """What is unusual about the creation of a resource."""

    task: Task | None = None  # its background job
    extra_seconds: float = 0.0  # simulated, beyond the typical duration
    duration: str | None = None  # another row of the table of durations
    words: StatusWords | None = None  # other status words


@dataclass(frozen=True)
class EndedJob:
    """A job of a former run, known by how it ended."""

    outcome: JobOutcome


NO_OPTIONS = CreationOptions()
_THREADS = 48  # they wait for the engine's workers; the quotas keep their number below this


class RunningJob:
    """One task under way."""

    def __init__(self) -> None:
        self.outcome: JobOutcome | None = None
        self._done = threading.Event()

    def run(self, task: Task) -> None:
        """Do the task and keep how it ended."""
        self.outcome = _outcome(task)
        self._done.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Block until it ended, or for so many real seconds; return whether it ended."""
        return self._done.wait(timeout_seconds)


def _outcome(task: Task) -> JobOutcome:
    try:
        result = task() or JobResult()
    except EngineError as error:
        return JobOutcome(CLOCK.time(), reason=str(error))
    except CancelledError:
        return JobOutcome(CLOCK.time(), reason="The work was stopped.")
    except Exception:  # noqa: BLE001 - whatever breaks fails this job, told to its owner, and no other
        _LOG.exception("a job broke")
        return JobOutcome(CLOCK.time(), reason="Internal error. Please try again.")
    return JobOutcome(CLOCK.time(), result=result)


class JobRunner:
    """The threads of the jobs; closing it lets those that run end and forgets the others."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="personalize")

    def start(self, task: Task) -> RunningJob:
        """Begin the task and return it."""
        job = RunningJob()
        self._threads.submit(job.run, task)
        return job

    def close(self) -> None:
        """Stop."""
        self._threads.shutdown(wait=True, cancel_futures=True)
