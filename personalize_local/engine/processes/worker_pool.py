"""Run long work in worker processes beside the service; when one crashes, only its work is lost."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from personalize_local.engine.api import EngineError
from personalize_local.engine.processes.child_processes import ChildProcess

_ROOT: Final = Path(__file__).parents[3]  # where `personalize_local` is importable from
_DYING_SECONDS: Final = 5
# A worker that has done so much makes room for a fresh one: what allocators keep of large work is not given back.
_MOST_JOBS: Final = 8
_AVX512: Final = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


class StoppedError(EngineError):
    """The work was stopped before it was done."""

    def __init__(self) -> None:
        super().__init__("The work was stopped before it was done.")


class ProcessPool:
    """A few processes, started when first needed and kept; a killed one is replaced for the next work."""

    def __init__(self, count: int, logs: Path) -> None:
        self._count = count
        self._changed = threading.Condition()  # guards what follows
        self._idle: list[_Process] = []
        self._busy: dict[str, _Process] = {}
        self._stopped: set[str] = set()
        self._closed = False
        self._logs = logs
        logs.mkdir(parents=True, exist_ok=True)

    def run(self, job: str, function: str, *arguments: object) -> Any:
        """Return what `module:function` returns in a worker process; wait for a free one first.

        An EngineError tells why the work failed, also when its process died. `job` names the work for `stop`; two of
        one name run one after the other.
        """
        process = self._take(job)
        try:
            return process.call(function, arguments)
        except _DiedError as death:
            raise self._cause(job, function, death) from death
        finally:
            self._give_back(job, process)

    def stop(self, job: str) -> None:
        """Kill the worker that runs the job, or keep the job from starting; `run` then raises a StoppedError."""
        with self._changed:
            self._stopped.add(job)
            if job in self._busy:
                self._busy[job].kill()
            self._changed.notify_all()

    def close(self) -> None:
        """Kill all workers; running work fails."""
        with self._changed:
            self._closed = True
            for process in self._busy.values():
                process.kill()  # the thread that waits for its answer discards it
            while self._idle:
                self._idle.pop().discard()
            self._changed.notify_all()

    @property
    def processes(self) -> list[int]:
        """Return the ids of the processes alive now."""
        with self._changed:
            return [process.pid for process in [*self._idle, *self._busy.values()]]

    def _take(self, job: str) -> "_Process":
        with self._changed:
            self._changed.wait_for(lambda: self._may_begin(job) or self._is_stopped(job))
            if self._is_stopped(job):
                self._stopped.discard(job)
                raise StoppedError
            self._busy[job] = self._idle_or_new()
            return self._busy[job]

    def _may_begin(self, job: str) -> bool:
        return len(self._busy) < self._count and job not in self._busy

    def _idle_or_new(self) -> "_Process":
        while self._idle:
            process = self._idle.pop()
            if process.running:
                return process
            process.discard()  # it was killed while it had nothing to do
        return _Process(self._logs)

    def _give_back(self, job: str, process: "_Process") -> None:
        with self._changed:
            self._stopped.discard(job)
            del self._busy[job]
            if process.alive and process.jobs < _MOST_JOBS and not self._closed:
                self._idle.append(process)
            else:
                process.discard()
            self._changed.notify_all()

    def _is_stopped(self, job: str) -> bool:
        return self._closed or job in self._stopped

    def _cause(self, job: str, function: str, death: "_DiedError") -> EngineError:
        with self._changed:
            if self._is_stopped(job):
                return StoppedError()
        return EngineError(f"An internal error occurred: the worker process for {function.split(':')[1]} {death}.")


class _DiedError(Exception):
    """The process is gone; the text says how."""


class _Process:
    def __init__(self, logs: Path) -> None:
        self._log = (logs / f"worker-{os.urandom(4).hex()}.log").open("wb")
        self._child = ChildProcess(
            [sys.executable, "-m", "personalize_local.engine.processes.worker_process", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(os.environ),
        )
        self.pid = self._child.pid
        self.alive = True
        self.jobs = 0

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def call(self, function: str, arguments: tuple[object, ...]) -> Any:
        self.jobs += 1
        request = pickle.dumps((function, arguments))
        try:
            _pipe(self._child.stdin).write(request)
            _pipe(self._child.stdin).flush()
            succeeded, answer = pickle.load(_pipe(self._child.stdout))  # noqa: S301 - our own child wrote it
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_DYING_SECONDS)  # it closed its pipes, so it is on its way out
            self.kill()
            code = self._child.wait()
            raise _DiedError(f"was killed by signal {-code}" if code < 0 else f"ended with code {code}") from error
        if not succeeded:
            raise EngineError(answer)
        return answer

    def kill(self) -> None:
        """End the process; the thread in `call` then finds it dead."""
        self.alive = False
        self._child.kill()

    def discard(self) -> None:
        """End the process and close its pipes; no thread may be in `call`."""
        self.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._log):
            with contextlib.suppress(OSError):  # what was left in the pipe has no reader any more
                _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the worker's environment: one BLAS thread, since the work itself uses a thread per core.

    With threads of its own OpenBLAS falls far behind as soon as a neighbour keeps one core busy. On AMD processors
    with AVX-512 it picks its AVX2 kernels; SkylakeX names those that are almost twice as fast. Both can be set from
    outside.
    """
    theirs = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if _has_avx512(Path("/proc/cpuinfo")):
        theirs["OPENBLAS_CORETYPE"] = "SkylakeX"
    path = os.pathsep.join(filter(None, [str(_ROOT), ours.get("PYTHONPATH")]))
    return {**theirs, **ours, "PYTHONPATH": path}


def _has_avx512(cpuinfo: Path) -> bool:
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    flags = next((set(line.split(":")[1].split()) for line in text.splitlines() if line.startswith("flags")), set())
    return "AuthenticAMD" in text and flags >= _AVX512
