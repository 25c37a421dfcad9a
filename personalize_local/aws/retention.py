"""Forget what AWS forgets, once every simulated day: old executions, log events, and messages nobody received.

moto keeps all three for ever.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from moto.logs.models import LogStream, logs_backends
from moto.sqs.models import sqs_backends

from personalize_local.aws import current_cloud
from personalize_local.aws.sqs.queues import LocalQueue
from personalize_local.aws.stepfunctions.executions import all_backends
from personalize_local.clock import CLOCK

# Fact: "Quotas related to state machine executions": history is retained for 90 days after an execution is closed.
EXECUTIONS_KEPT = timedelta(days=90)
_DAY_SECONDS = 86_400.0
_NAP_SECONDS = 0.25  # real; the clock's speed may change, and time may jump


class Retention:
    """A thread that forgets what AWS forgets, once a simulated day, until the cloud stops."""

    def __init__(self, cloud: current_cloud.CurrentCloud) -> None:
        self._cloud = cloud
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its thread, once the cloud is stopping."""
        self._thread.join(timeout=5)

    def _run(self) -> None:
        due = CLOCK.time() + _DAY_SECONDS
        while not self._cloud.stopping.wait(_NAP_SECONDS):
            if CLOCK.time() >= due:
                forget(CLOCK.now())
                due = CLOCK.time() + _DAY_SECONDS


def forget(now: datetime) -> None:
    """Forget whatever is too old at this simulated time."""
    for forget_some in FORGETTERS:
        forget_some(now)


def forget_executions(now: datetime) -> None:
    """Forget executions that ended 90 days ago; their names are free again."""
    for backend in all_backends():
        backend.forget_ended(now - EXECUTIONS_KEPT)


def forget_log_events(now: datetime) -> None:
    """Forget the log events that are older than their group keeps them; a group without a limit keeps all."""
    for backend in list(logs_backends[current_cloud.ACCOUNT_ID].values()):
        for group in list(backend.groups.values()):
            if group.retention_in_days:
                oldest = now - timedelta(days=int(group.retention_in_days))
                for stream in list(group.streams.values()):
                    _shorten(stream, oldest.timestamp() * 1000)


def _shorten(stream: LogStream, oldest: float) -> None:
    # Events are in the order of their arrival. In one step, because functions append meanwhile.
    old = next((n for n, event in enumerate(stream.events) if event.timestamp >= oldest), len(stream.events))
    stream.stored_bytes -= sum(len(event.message) for event in stream.events[:old])
    del stream.events[:old]


def forget_messages(now: datetime) -> None:  # noqa: ARG001 - queues ask the clock themselves
    """Forget messages that their queue has kept for its retention period, also where nobody receives any."""
    for backend in list(sqs_backends[current_cloud.ACCOUNT_ID].values()):
        for queue in list(backend.queues.values()):
            if isinstance(queue, LocalQueue):
                queue.forget_expired()


FORGETTERS: tuple[Callable[[datetime], None], ...] = (forget_executions, forget_log_events, forget_messages)
