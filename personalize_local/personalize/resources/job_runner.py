"""Real work (reading S3, importing, training) off the callers' threads."""

import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass

from personalize_local.clock import CLOCK
from personalize_local.engine.api import EngineError
from personalize_local.personalize.resources.status_timeline import Gain, Outcome, Words

_LOG = logging.getLogger(__name__)
Task = Callable[[], Gain | None]


@dataclass(frozen=True)
class Making:
    """What is unusual about the making of a resource."""

    task: Task | None = None  # the real work it waits for
    extra_seconds: float = 0.0  # simulated, beyond the typical duration
    lasting_as: str | None = None  # another row of the durations
    words: Words | None = None  # other status words


@dataclass(frozen=True)
class PastWork:
    """Real work of a former run, known by how it ended."""

    outcome: Outcome


USUAL = Making()
_THREADS = 48  # they wait for the engine's workers; the quotas keep their number below this


class RealWork:
    """One task under way."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self._done = threading.Event()

    def run(self, task: Task) -> None:
        """Do the task and keep how it ended."""
        self.outcome = _outcome(task)
        self._done.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Block until it ended, or for so many real seconds; return whether it ended."""
        return self._done.wait(timeout_seconds)


def _outcome(task: Task) -> Outcome:
    try:
        gain = task() or Gain()
    except EngineError as error:
        return Outcome(CLOCK.time(), reason=str(error))
    except CancelledError:
        return Outcome(CLOCK.time(), reason="The work was stopped.")
    except Exception:  # noqa: BLE001 - whatever breaks fails this job, told to its owner, and no other
        _LOG.exception("a job broke")
        return Outcome(CLOCK.time(), reason="Internal error. Please try again.")
    return Outcome(CLOCK.time(), gain=gain)


class Workshop:
    """Where tasks run; closing it lets those that run end and forgets the others."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"personalize-{next(self._numbers)}")

    def start(self, task: Task) -> RealWork:
        """Begin the task and return it."""
        work = RealWork()
        self._threads.submit(work.run, task)
        return work

    def close(self) -> None:
        """Stop."""
        self._threads.shutdown(wait=True, cancel_futures=True)
