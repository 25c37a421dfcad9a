"""The agenda: calls in the background, in the order of simulated time."""

import threading
import time
from collections.abc import Iterator

import pytest

from personalize_local.aws.task_scheduler import Agenda
from personalize_local.clock import CLOCK


@pytest.fixture
def agenda() -> Iterator[Agenda]:
    CLOCK.set_speed(3600)
    made = Agenda(threads=2)
    yield made
    made.stop()
    made.join()
    CLOCK.set_speed(1)


def wait_until_idle(agenda: Agenda) -> None:
    deadline = time.monotonic() + 60
    while agenda.pending:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_calls_are_made_in_the_order_of_their_times(agenda: Agenda) -> None:
    made: list[str] = []
    agenda.add(lambda: made.append("later"), 1200)
    agenda.add(lambda: made.append("soon"), 300)
    agenda.add(lambda: made.append("now"))
    assert agenda.pending == 3
    wait_until_idle(agenda)
    assert made == ["now", "soon", "later"]


def test_a_call_that_raises_does_not_stop_the_others(agenda: Agenda, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    agenda.add(lambda: 1 / 0)
    agenda.add(done.set)
    assert done.wait(60)
    wait_until_idle(agenda)
    assert "ZeroDivisionError" in caplog.text


def test_a_running_call_is_pending(agenda: Agenda) -> None:
    go_on, started = threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        go_on.wait(60)

    agenda.add(call)
    assert started.wait(60)
    assert agenda.pending == 1
    go_on.set()
    wait_until_idle(agenda)


def test_what_fails_after_the_stop_is_of_no_interest(agenda: Agenda, caplog: pytest.LogCaptureFixture) -> None:
    go_on, started = threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        go_on.wait(60)
        raise RuntimeError("too late")

    agenda.add(call)
    assert started.wait(60)
    agenda.stop()
    go_on.set()
    agenda.join()
    assert caplog.text == ""


def test_stopping_forgets_what_is_waiting(agenda: Agenda) -> None:
    made: list[int] = []
    agenda.add(lambda: made.append(1), 86_400)
    agenda.stop()
    agenda.add(lambda: made.append(2))
    assert agenda.pending == 0
    assert made == []
