"""Worker processes: a crash fails one job and nothing else."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from personalize_local.engine.api import EngineError
from personalize_local.engine.processes import worker_pool
from personalize_local.engine.processes.worker_pool import ProcessPool, StoppedError


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[ProcessPool]:
    pool = ProcessPool(2, tmp_path / "logs")
    yield pool
    pool.close()


def until(condition: object, seconds: float = 5.0) -> None:
    """Wait for a callable to become true."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_work_runs_in_another_process_that_is_kept(workers: ProcessPool) -> None:
    first, second = workers.run("a", "os:getpid"), workers.run("b", "os:getpid")
    assert first == second != os.getpid()
    assert workers.processes == [first]


def test_what_the_work_prints_is_logged(workers: ProcessPool, tmp_path: Path) -> None:
    workers.run("a", "builtins:print", "half way")
    workers.close()
    assert [log.read_text() for log in (tmp_path / "logs").iterdir()] == ["half way\n"]


def test_an_error_is_told_and_the_process_stays(workers: ProcessPool) -> None:
    with pytest.raises(EngineError, match="An internal error occurred: ZeroDivisionError: integer division"):
        workers.run("a", "operator:floordiv", 1, 0)
    assert workers.run("b", "operator:add", 1, 2) == 3
    assert len(workers.processes) == 1


def test_an_answer_that_cannot_travel_is_an_error_too(workers: ProcessPool) -> None:
    with pytest.raises(EngineError, match="TypeError: cannot pickle 'module' object"):
        workers.run("a", "importlib:import_module", "json")
    assert workers.run("b", "operator:add", 1, 2) == 3


def test_a_worker_makes_room_for_a_fresh_one_in_the_end(workers: ProcessPool) -> None:
    seen = [workers.run(f"job-{number}", "os:getpid") for number in range(2 * worker_pool._MOST_JOBS)]
    assert len(set(seen)) == 2


def test_a_killed_worker_fails_its_job_only(workers: ProcessPool) -> None:
    with ThreadPoolExecutor(2) as threads:
        doomed = threads.submit(workers.run, "a", "time:sleep", 60)
        until(lambda: len(workers.processes) == 1)
        (victim,) = workers.processes
        neighbour = threads.submit(workers.run, "b", "time:sleep", 0.3)
        until(lambda: len(workers.processes) == 2)
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(EngineError, match="the worker process for sleep was killed by signal 9"):
            doomed.result(5)
        assert neighbour.result(5) is None
    assert workers.run("c", "operator:add", 1, 2) == 3


def test_a_worker_killed_while_idle_fails_nothing(workers: ProcessPool) -> None:
    idle = workers.run("a", "os:getpid")
    os.kill(idle, signal.SIGKILL)
    os.waitid(os.P_PID, idle, os.WEXITED | os.WNOWAIT)
    assert workers.run("b", "os:getpid") != idle


def test_a_crash_is_told(workers: ProcessPool) -> None:
    with pytest.raises(EngineError, match="the worker process for _exit ended with code 7"):
        workers.run("a", "os:_exit", 7)


def test_a_running_job_can_be_stopped(workers: ProcessPool) -> None:
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(workers.run, "a", "time:sleep", 60)
        until(lambda: workers.processes)
        workers.stop("a")
        with pytest.raises(StoppedError):
            running.result(5)
    assert workers.run("b", "operator:add", 1, 2) == 3


def test_a_job_can_be_stopped_before_it_starts(workers: ProcessPool) -> None:
    workers.stop("a")
    with pytest.raises(StoppedError):
        workers.run("a", "os:getpid")
    assert workers.processes == []


def test_a_job_that_waits_for_a_worker_can_be_stopped(tmp_path: Path) -> None:
    with closing(ProcessPool(1, tmp_path / "logs")) as workers, ThreadPoolExecutor(2) as threads:
        running = threads.submit(workers.run, "a", "time:sleep", 60)
        until(lambda: workers.processes)
        waiting = threads.submit(workers.run, "b", "os:getpid")
        workers.stop("b")
        with pytest.raises(StoppedError):
            waiting.result(5)
        assert not running.done()
        workers.close()


def test_no_more_jobs_run_at_once_than_there_are_workers(workers: ProcessPool) -> None:
    with ThreadPoolExecutor(4) as threads:
        jobs = [threads.submit(workers.run, str(n), "time:sleep", 0.1) for n in range(4)]
        for job in jobs:
            job.result(10)
    assert len(workers.processes) <= 2


def test_close_ends_running_work_and_all_processes(workers: ProcessPool) -> None:
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(workers.run, "a", "time:sleep", 60)
        until(lambda: workers.processes)
        (process,) = workers.processes
        threading.Timer(0.05, workers.close).start()
        with pytest.raises(StoppedError):
            running.result(5)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_work_has_one_blas_thread(workers: ProcessPool) -> None:
    assert workers.run("a", "os:getenv", "OPENBLAS_NUM_THREADS") == "1"


def test_two_jobs_of_one_name_lose_no_process(workers: ProcessPool) -> None:
    """The second one's process took the first one's place, which was never ended then."""
    with ThreadPoolExecutor(2) as threads:
        ended = list(threads.map(lambda seconds: workers.run("same", "time:sleep", seconds), (0.2, 0.2)))
    assert ended == [None, None]
    assert len(workers.processes) == 1
