"""The task scheduler: calls in the background, in the order of simulated time."""

import threading
import time
from collections.abc import Iterator

import pytest

from personalize_local.aws.task_scheduler import TaskScheduler
from personalize_local.clock import CLOCK


@pytest.fixture
def task_scheduler() -> Iterator[TaskScheduler]:
    CLOCK.set_speed(3600)
    made = TaskScheduler(threads=2)
    yield made
    made.stop()
    made.join()
    CLOCK.set_speed(1)


def wait_until_idle(task_scheduler: TaskScheduler) -> None:
    deadline = time.monotonic() + 60
    while task_scheduler.pending:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_calls_are_made_in_the_order_of_their_times(task_scheduler: TaskScheduler) -> None:
    made: list[str] = []
    task_scheduler.add(lambda: made.append("later"), 1200)
    task_scheduler.add(lambda: made.append("soon"), 300)
    task_scheduler.add(lambda: made.append("now"))
    assert task_scheduler.pending == 3
    wait_until_idle(task_scheduler)
    assert made == ["now", "soon", "later"]


def test_a_call_that_raises_does_not_stop_the_others(
    task_scheduler: TaskScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()
    task_scheduler.add(lambda: 1 / 0)
    task_scheduler.add(done.set)
    assert done.wait(60)
    wait_until_idle(task_scheduler)
    assert "ZeroDivisionError" in caplog.text


def test_a_running_call_is_pending(task_scheduler: TaskScheduler) -> None:
    go_on, started = threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        go_on.wait(60)

    task_scheduler.add(call)
    assert started.wait(60)
    assert task_scheduler.pending == 1
    go_on.set()
    wait_until_idle(task_scheduler)


def test_what_fails_after_the_stop_is_of_no_interest(
    task_scheduler: TaskScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    go_on, started = threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        go_on.wait(60)
        raise RuntimeError("too late")

    task_scheduler.add(call)
    assert started.wait(60)
    task_scheduler.stop()
    go_on.set()
    task_scheduler.join()
    assert caplog.text == ""


def test_stopping_forgets_what_is_waiting(task_scheduler: TaskScheduler) -> None:
    made: list[int] = []
    task_scheduler.add(lambda: made.append(1), 86_400)
    task_scheduler.stop()
    task_scheduler.add(lambda: made.append(2))
    assert task_scheduler.pending == 0
    assert made == []
