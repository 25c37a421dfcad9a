"""Wait for what a worker process answers, and end the wait when the process overruns its allowance."""

import math
import socket
import time
from typing import Any

from personalize_local.aws.lambda_ import bootstrap
from personalize_local.aws.lambda_.allowance import (
    FIRST_LOOK_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Allowance,
    Overrun,
    Usage,
    usage_of,
)

REST_OF_A_MESSAGE_SECONDS = 10.0  # for a message that has begun: its sender is done with the handler


class OverrunError(Exception):
    """The process used more than Lambda would have let it use."""

    def __init__(self, overrun: Overrun) -> None:
        super().__init__(overrun.value)
        self.overrun = overrun


class OverrunWatch:
    """One worker process, watched through its invocations; `usage` is what was seen last."""

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self._pid = pid
        self._socket = sock
        self._cpu_before = math.inf  # importing the handler is Lambda's init phase and costs no CPU allowance
        self.usage = Usage()

    def receive_answer(self, allowance: Allowance, timeout_seconds: float) -> dict[str, Any] | None:
        """Return the handler's answer, or None when the process has ended without one.

        Raises TimeoutError after so many real seconds, and OverrunError once the allowance is known to be overrun.
        """
        until = time.monotonic() + timeout_seconds
        pause_seconds = FIRST_LOOK_SECONDS
        while (message := self._receive(min(pause_seconds, until - time.monotonic()))) is not None:
            if "payload" in message:
                self._check(allowance, Usage(message["memory_bytes"], message["cpu_seconds"]))
            if message:
                self._cpu_before = message["cpu_seconds"]
            if "payload" in message:
                return message
            if time.monotonic() >= until:
                raise TimeoutError
            if not message and (seen := usage_of(self._pid)):
                self._check(allowance, seen)
                pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
        return None

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message, an empty one when none has come in time, None when the other side has gone."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return {}
        self._socket.settimeout(REST_OF_A_MESSAGE_SECONDS)
        return bootstrap.receive(self._socket)

    def _check(self, allowance: Allowance, usage: Usage) -> None:
        self.usage = usage
        overrun = allowance.overrun_by(usage, self._cpu_before)
        if overrun is not None:
            raise OverrunError(overrun)
