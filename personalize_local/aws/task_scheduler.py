"""Make calls in the background: soon, or after some simulated time, by a few threads."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable

from personalize_local.clock import CLOCK

logger = logging.getLogger(__name__)
THREADS = 8
LAST_CALLS_SECONDS = 5.0  # real
LONGEST_NAP_SECONDS = 0.5  # real; the clock's speed may change while a call is waiting for its time


class TaskScheduler:
    """A scheduler that makes calls in the order of their simulated time, by a small pool of threads.

    Deliveries of events, asynchronous invocations and their retries are all entries here: `pending` tells how many
    have not finished, so that a test can wait until nothing is under way.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = 0
        self._stopped = False
        self.made = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"task-scheduler-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pending(self) -> int:
        """Return how many calls are waiting or running."""
        with self._changed:
            return len(self._calls) + self._running

    def add(self, call: Callable[[], object], after_seconds: float = 0.0) -> None:
        """Make `call` once `after_seconds` of simulated time have passed. What it raises is logged."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._calls, (CLOCK.time() + after_seconds, next(self._order), call))
            self._changed.notify()

    def stop(self) -> None:
        """Forget what is waiting and make no more calls; what those that are running raise is of no interest now."""
        with self._changed:
            self._stopped = True
            self._calls.clear()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the calls that are running, for a while."""
        for thread in self._threads:
            thread.join(LAST_CALLS_SECONDS)

    def _work(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                if not self._stopped:
                    logger.exception("a call in the background failed")
            finally:
                with self._changed:
                    self._running -= 1

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._stopped:
                left = self._calls[0][0] - CLOCK.time() if self._calls else None
                if left is not None and left <= 0:
                    self._running += 1
                    self.made += 1
                    return heapq.heappop(self._calls)[2]
                self._changed.wait(None if left is None else min(CLOCK.real_seconds(left), LONGEST_NAP_SECONDS))
            return None
