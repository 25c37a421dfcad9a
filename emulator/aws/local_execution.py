"""One execution of a state machine, in simulated time, that can be stopped at any moment.

moto's keeps neither error nor cause of a stopped execution, and lets it look running until its present task is over.
"""

import copy
import threading
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.evaluation_details import EvaluationDetails, ExecutionDetails
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.utils import TMP_THREADS

from emulator.aws.execution_history import PackedHistory, transitions
from emulator.aws.interpreter import iso_time
from emulator.clock import CLOCK

THREADS_WORTH_FORGETTING = 128


class _Communication(BaseExecutionWorkerCommunication):
    """Told by the interpreter that the program has ended."""

    def terminated(self) -> None:
        """Take over the outcome, unless the execution was stopped before."""
        execution: Any = self.execution
        with execution.lock:
            if execution.exec_status == ExecutionStatus.RUNNING:
                self._reflect_execution_status()  # type: ignore[no-untyped-call]  # moto's
                execution.stop_date = CLOCK.now()
        execution.ended.set()
        execution.pack()
        execution.finished.set()
        if len(TMP_THREADS) > THREADS_WORTH_FORGETTING:  # moto remembers every thread it ever started
            TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]


class _Worker(ExecutionWorker):
    """Runs the program; its environment exists from the start, so that it can be stopped from the start."""

    def start(self) -> None:
        """Start the thread that runs the program."""
        self.env = super()._get_evaluation_environment()
        super().start()  # type: ignore[no-untyped-call]  # moto's

    def _get_evaluation_environment(self) -> Any:
        return self.env


class LocalExecution(Execution):
    """An execution in simulated time; `ended` is set once its status is final, `finished` when its thread is done."""

    def __init__(self, **details: Any) -> None:
        super().__init__(**details)
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.finished = threading.Event()
        self._children: list[LocalExecution] = []
        self._packed: PackedHistory | None = None

    def get_start_execution_details(self) -> ExecutionDetails:
        """Return what becomes `$$.Execution`."""
        return ExecutionDetails(self.exec_arn, self.name, self.role_arn, self.input_data, iso_time(self.start_date))

    def transitions(self) -> int:
        """Return how many states were entered; a retried state counts again, as Step Functions bills it."""
        return transitions(self._events()) if self._packed is None else self._packed.transitions

    def stop(self, stop_date: datetime, error: str | None, cause: str | None) -> None:
        """End as ABORTED at once; what the present task is doing no longer matters."""
        with self.lock:
            if self.exec_status != ExecutionStatus.RUNNING:
                return
            self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.ABORTED, stop_date, error, cause
            worker: Any = self.exec_worker
        while worker.env.program_state() is None:  # its thread has not come to the first state yet
            time.sleep(0.001)
        worker.stop(stop_date, error, cause)
        self.ended.set()
        for child in list(self._children):
            child.stop(stop_date, None, None)

    def adopt(self, child: "LocalExecution") -> None:
        """Remember a nested execution that this one waits for: it is stopped with its parent, as on AWS."""
        with self.lock:
            self._children = [known for known in self._children if not known.ended.is_set()] + [child]
            is_wanted = self.exec_status == ExecutionStatus.RUNNING
        if not is_wanted:
            child.stop(CLOCK.now(), None, None)

    def events(self) -> list[dict[str, Any]]:
        """Return the history so far."""
        return copy.deepcopy(self._events())

    def to_history_output(self) -> Any:
        """Return the history for moto's own answer."""
        return {"events": self.events()}

    def pack(self) -> None:
        """Let go of all that running took, once the thread is done; the history stays, compressed."""
        callbacks = self.exec_worker.env.callback_pool_manager  # type: ignore[union-attr]  # moto may be asking for it
        self._packed = PackedHistory(self._events())
        self.exec_worker = SimpleNamespace(env=SimpleNamespace(callback_pool_manager=callbacks))  # type: ignore[assignment]
        self._children = []

    def _events(self) -> list[dict[str, Any]]:
        worker: Any = self.exec_worker  # before it is packed: afterwards there is no history in it any more
        if self._packed is not None:
            return self._packed.events()
        # moto's accessor copies everything under a lock; a list only grows, so a shallow copy is enough to count.
        return list(worker.env.event_manager._history_event_list)  # noqa: SLF001 - see above

    def _get_start_execution_worker(self) -> _Worker:
        return _Worker(
            evaluation_details=EvaluationDetails(
                aws_execution_details=self._get_start_aws_execution_details(),
                execution_details=self.get_start_execution_details(),
                state_machine_details=self.get_start_state_machine_details(),
            ),
            exec_comm=_Communication(self),
            cloud_watch_logging_session=None,
            activity_store=self._activity_store,
        )
