"""Start worker processes on demand, give each one invocation at a time, and end them on a timeout or with the cloud."""

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personalize_local.aws.lambda_ import bootstrap
from personalize_local.aws.lambda_.allowance import Allowance, Overrun, Usage
from personalize_local.aws.lambda_.fork_server import fork_server
from personalize_local.aws.lambda_.overrun_watch import OverrunError, OverrunWatch
from personalize_local.clock import CLOCK

MAX_WORKERS = 4  # per function; without a limit 200 events at once start 60 processes
IDLE_SECONDS = 300.0  # real; AWS, too, ends an environment that has had nothing to do for some minutes
LOG_BYTES = 1 << 20  # at most this much is read of one invocation's output, and kept of what was read already


@dataclass(frozen=True)
class Sandbox:
    """Everything a worker process depends on; two invocations of equal sandboxes may share one."""

    function_name: str
    handler: str
    directory: Path  # the unpacked code
    path: tuple[str, ...]  # what comes first on sys.path
    environment: tuple[tuple[str, str], ...]

    def is_replaced_by(self, other: "Sandbox") -> bool:
        """Tell whether the other one is of the same function, but not equal: it has been changed."""
        return self.function_name == other.function_name and self != other


@dataclass(frozen=True)
class Answer:
    """What came back from a worker: a payload, or how the process ended without one."""

    payload: str | None
    is_error: bool
    log: str
    exit_status: int | None = None  # negative: the signal that ended it
    timed_out: bool = False
    out_of_memory: bool = False
    usage: Usage = field(default_factory=Usage)


class Worker:
    """One process with one handler in it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._fork_server = fork_server()
        self._socket, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._log_read = 0
        self.idle_since = 0.0
        self._ending = threading.Lock()
        self._exit_status: int | None = None
        order = {
            "handler": sandbox.handler,
            "speed": CLOCK.speed,
            "directory": str(sandbox.directory),
            "path": sandbox.path,
            "environment": dict(sandbox.environment),
        }
        self.pid = self._fork_server.fork(order, [theirs.fileno(), self._log.fileno()])
        self._watch = OverrunWatch(self.pid, self._socket)
        theirs.close()

    def invoke(self, invocation: Mapping[str, Any], allowance: Allowance) -> Answer:
        """Run the handler once. After an answer without payload the worker is gone."""
        try:
            self._socket.settimeout(invocation["timeout"])
            bootstrap.send(self._socket, invocation)
            answer = self._watch.receive_answer(allowance, invocation["timeout"])
        except TimeoutError:
            return self._killed(timed_out=True)
        except OverrunError as error:
            in_memory = error.overrun is Overrun.MEMORY
            return self._killed(out_of_memory=in_memory, timed_out=not in_memory)
        except OSError:
            answer = None
        if answer is None:
            return self._killed()
        return Answer(answer["payload"], is_error=answer["error"], log=self._new_log(), usage=self._watch.usage)

    def _killed(self, *, timed_out: bool = False, out_of_memory: bool = False) -> Answer:
        status = self.kill()
        return Answer(
            None,
            is_error=True,
            log=self._new_log(),
            exit_status=status,
            timed_out=timed_out,
            out_of_memory=out_of_memory,
            usage=self._watch.usage,
        )

    def is_alive(self) -> bool:
        """Tell whether the process still holds its end of the socket."""
        try:
            self._socket.settimeout(0)
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def kill(self) -> int:
        """End the process, if it has not ended by itself, and return its exit status; negative for a signal."""
        with self._ending:
            if self._exit_status is None:
                self._exit_status = self._end()
                self._socket.close()
            return self._exit_status

    def _end(self) -> int:
        try:
            os.kill(self.pid, signal.SIGKILL)  # until it is reaped the id is its own; an exit under way stands
            return self._fork_server.reap(self.pid)
        except OSError:  # the fork server has been killed, and its workers with it
            return -signal.SIGKILL

    def close(self) -> None:
        """End the process and forget what it wrote."""
        self.kill()
        with self._ending:
            self._log.close()

    def _new_log(self) -> str:
        with self._ending:
            text = b"" if self._log.closed else self._read_log(self._log.fileno())
        return text.decode(errors="replace")

    def _read_log(self, fd: int) -> bytes:
        text = os.pread(fd, LOG_BYTES, self._log_read)
        self._log_read += len(text)
        if self._log_read > LOG_BYTES and os.fstat(fd).st_size == self._log_read:
            os.ftruncate(fd, 0)
            self._log_read = os.lseek(fd, 0, os.SEEK_SET)  # the process writes where we stand: it has the same file
        return text


class WorkerPool:
    """The idle and busy workers of one cloud, at most `MAX_WORKERS` per function.

    With `share_cpu` a function's time-out also bounds its CPU time, in proportion to its memory.
    """

    def __init__(self, *, share_cpu: bool = True) -> None:
        self._share_cpu = share_cpu
        self._lock = threading.Lock()
        self._idle: dict[str, list[Worker]] = {}  # by function, the one that worked last at the end
        self._room: dict[str, threading.Semaphore] = {}
        self._workers: set[Worker] = set()
        self._stopped = False
        fork_server()  # it warms up while the cloud deploys

    def invoke(self, sandbox: Sandbox, invocation: Mapping[str, Any]) -> Answer:
        """Run one invocation in a free worker, or in a new one."""
        allowance = Allowance.of(invocation["memory_mib"], invocation["timeout"], share_cpu=self._share_cpu)
        with self._lock:
            room = self._room.setdefault(sandbox.function_name, threading.Semaphore(MAX_WORKERS))
        with room:
            worker = self._take(sandbox)
            answer = worker.invoke(invocation, allowance)
            if answer.payload is None:
                self._forget(worker)
            else:
                self._put_back(worker)
            return answer

    def process_ids(self, function_name: str) -> list[int]:
        """Return the ids of the processes a function has at the moment."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.sandbox.function_name == function_name]

    def stop(self) -> None:
        """End every worker; invocations under way end as if the process had been killed."""
        with self._lock:
            self._stopped = True
            workers = list(self._workers)
        for worker in workers:
            self._forget(worker)

    def _take(self, sandbox: Sandbox) -> Worker:
        while (worker := self._pop_idle(sandbox)) is not None:
            if worker.is_alive():
                return worker
            self._forget(worker)
        return self._start(sandbox)

    def _pop_idle(self, sandbox: Sandbox) -> Worker | None:
        with self._lock:
            idle = self._idle.get(sandbox.function_name, [])
            for worker in reversed(idle):
                if worker.sandbox == sandbox:
                    idle.remove(worker)
                    return worker
        return None

    def _put_back(self, worker: Worker) -> None:
        """Keep a worker for the next invocation; end those idle for long, or of the function as it was before."""
        worker.idle_since = time.monotonic()
        oldest = worker.idle_since - IDLE_SECONDS
        with self._lock:
            surplus = [
                known
                for idle in self._idle.values()
                for known in idle
                if known.idle_since < oldest or known.sandbox.is_replaced_by(worker.sandbox)
            ]
            for known in surplus:
                self._idle[known.sandbox.function_name].remove(known)
            self._idle.setdefault(worker.sandbox.function_name, []).append(worker)
        for known in surplus:
            self._forget(known)

    def _start(self, sandbox: Sandbox) -> Worker:
        with self._lock:
            if self._stopped:
                raise RuntimeError("the local cloud is stopping")
            worker = Worker(sandbox)
            self._workers.add(worker)
            return worker

    def _forget(self, worker: Worker) -> None:
        worker.close()
        with self._lock:
            self._workers.discard(worker)
