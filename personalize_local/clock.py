"""Keep the one clock of the local cloud: simulated time, running faster than the machine's."""

import math
import threading
import time
from datetime import UTC, datetime


class Clock:
    """Simulated time, `speed` times as fast as real time from the moment the speed was set.

    Everything that takes long on AWS (waits, retries, visibility timeouts, jobs) asks this clock; what runs for
    real (handlers, training, HTTP) does not, because it takes the time it takes.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self.set_speed(speed)

    def set_speed(self, speed: float) -> None:
        """Restart simulated time at the machine's present time, from now on `speed` times as fast."""
        if not 0 < speed < math.inf:
            raise ValueError(f"speed must be a number above 0, not {speed}")
        with self._lock:
            self.speed = speed
            self._epoch = time.time()
            self._started = time.monotonic()

    def change_speed(self, speed: float) -> None:
        """Let simulated time go on from where it is, `speed` times as fast; what waits already keeps its own end."""
        if not 0 < speed < math.inf:
            raise ValueError(f"speed must be a number above 0, not {speed}")
        with self._lock:
            self._epoch += (time.monotonic() - self._started) * self.speed
            self._started = time.monotonic()
            self.speed = speed

    def go_on_from(self, simulated_seconds: float) -> None:
        """Let simulated time continue from a moment it had reached before, unless it is past that already."""
        with self._lock:
            ahead = simulated_seconds - (self._epoch + (time.monotonic() - self._started) * self.speed)
            self._epoch += max(0.0, ahead)

    def time(self) -> float:
        """Return the simulated time in seconds since 1970."""
        with self._lock:
            return self._epoch + (time.monotonic() - self._started) * self.speed

    def now(self) -> datetime:
        """Return the simulated time, with the zone UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def real_seconds(self, simulated_seconds: float) -> float:
        """Return how long `simulated_seconds` last on the machine's own clock."""
        return simulated_seconds / self.speed

    def wait(self, simulated_seconds: float, stop: threading.Event | None = None) -> bool:
        """Block for `simulated_seconds`, or until `stop` is set; return whether it was set."""
        return (stop or threading.Event()).wait(max(0.0, self.real_seconds(simulated_seconds)))


CLOCK = Clock()
