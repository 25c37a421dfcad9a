"""Run one execution of a state machine in simulated time, so that it can be stopped at any moment.

moto's keeps neither error nor cause of a stopped execution, and lets it look running until its present task is over.
"""

import copy
import threading
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.api import ExecutionAbortedEventDetails, ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.eval.evaluation_details import EvaluationDetails, ExecutionDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend.execution import Execution

from personalize_local.aws.stepfunctions import status_events
from personalize_local.aws.stepfunctions.execution_history import PackedHistory, transitions
from personalize_local.aws.stepfunctions.execution_worker import ExecutionCommunication, LocalExecutionWorker
from personalize_local.aws.stepfunctions.interpreter import iso_time
from personalize_local.aws.stepfunctions.redrive import RunProgress
from personalize_local.clock import CLOCK

TOKENS_REMEMBERED = 10
ENDS = frozenset({"ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut", "ExecutionSucceeded"})


class LocalExecution(Execution):
    """An execution in simulated time; `ended` is set once its status is final, `finished` when its thread is done."""

    def __init__(self, **details: Any) -> None:
        super().__init__(**details)
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.finished = threading.Event()
        self.redrive_count = 0
        self.redrive_date: datetime | None = None
        self.redrive_tokens: dict[str, datetime] = {}  # the last ones, so that a repeated request changes nothing
        self._children: list[LocalExecution] = []
        self._packed: PackedHistory | None = None

    def start(self) -> None:
        """Start the execution, and tell the event bus before it can end."""
        worker = self._get_start_execution_worker()
        worker.prepare()
        self.exec_worker, self.exec_status = worker, ExecutionStatus.RUNNING
        self.status_changed()
        worker.start()  # type: ignore[no-untyped-call]  # moto's

    def redrive(self) -> None:
        """Go on from what did not succeed. The caller has the lock, and knows that this is allowed."""
        worker = self._get_start_execution_worker()
        self.redrive_count, self.redrive_date = self.redrive_count + 1, CLOCK.now()
        self._unpack()
        worker.prepare_to_go_on(self._environment, self.error, self.redrive_count, iso_time(self.redrive_date))
        self._children = []
        self.ended.clear()
        self.finished.clear()
        self.stop_date = self.error = self.cause = None
        self.exec_worker, self.exec_status = worker, ExecutionStatus.RUNNING
        self.status_changed()
        worker.go_on(self.redrive_count)

    def remember_redrive(self, client_token: str | None) -> datetime:
        """Remember which request caused the last redrive; return when that was."""
        assert self.redrive_date is not None  # noqa: S101 - redriven by the caller
        if client_token:
            self.redrive_tokens[client_token] = self.redrive_date
            for oldest in list(self.redrive_tokens)[:-TOKENS_REMEMBERED]:
                del self.redrive_tokens[oldest]
        return self.redrive_date

    def closed(self, timeout_seconds: float) -> bool:
        """Wait until the last attempt's thread is done and its last event is written; return whether they are."""
        until = time.monotonic() + timeout_seconds
        while not self._is_history_closed():
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def close_history(self) -> None:
        """Write the last event of a stopped execution whose thread could not: stopped between states, moto's dies."""
        env = self._environment
        state = env.program_state()
        if isinstance(state, ProgramStopped) and not self._has_last_event():
            aborted = ExecutionAbortedEventDetails(error=state.error, cause=state.cause)
            details: Any = {"executionAbortedEventDetails": aborted}
            kind = HistoryEventType.ExecutionAborted
            env.event_manager.add_event(context=env.event_history_context, event_type=kind, event_details=details)

    def _is_history_closed(self) -> bool:
        return self._has_last_event() and self.finished.is_set()

    def _has_last_event(self) -> bool:
        for event in reversed(self._events()):
            if event["type"].value in ENDS:
                return True
            if event["type"] == HistoryEventType.ExecutionRedriven:
                break
        return False

    def status_changed(self) -> None:
        """Send the event that tells which status the execution has now; after a success nothing can be redriven."""
        status_events.send(self)
        if self.exec_status == ExecutionStatus.SUCCEEDED:
            self._environment.progress = RunProgress()

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
        self.status_changed()
        self.ended.set()
        for child in list(self._children):
            child.stop(stop_date, None, None)

    def fail(self, error: str, cause: str) -> None:
        """End as FAILED at once, whatever the machine would catch."""
        with self.lock:
            if self.exec_status != ExecutionStatus.RUNNING:
                return
            self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.FAILED, CLOCK.now(), error, cause
        self._environment.set_error({"error": error, "cause": cause})
        self.status_changed()
        self.ended.set()

    def adopt(self, child: "LocalExecution") -> None:
        """Remember a nested execution that this one waits for: it is stopped with its parent, as on AWS."""
        with self.lock:
            self._children = [known for known in self._children if not known.ended.is_set()] + [child]
            is_wanted = self.exec_status == ExecutionStatus.RUNNING
        if not is_wanted:
            child.stop(CLOCK.now(), None, None)

    def history_length(self) -> int:
        """Return how many events the history has."""
        return len(self._events())

    def events(self) -> list[dict[str, Any]]:
        """Return the history so far."""
        return copy.deepcopy(self._events())

    def to_history_output(self) -> Any:
        """Return the history for moto's own answer."""
        return {"events": self.events()}

    def pack(self) -> None:
        """Let go of all that running took, once the last event is written; the history stays, compressed.

        What moto may still ask for stays too, and what a redrive goes on from. A stopped or timed out execution leaves
        its last state later than its thread ends; it is packed when somebody asks again.
        """
        with self.lock:
            if self._packed is None and self._is_history_closed():
                self._pack()

    def _pack(self) -> None:
        env = self._environment
        kept = {
            name: getattr(env, name) for name in ("callback_pool_manager", "map_run_record_pool_manager", "progress")
        }
        self._packed = PackedHistory(self._events())
        empty = copy.copy(env.event_manager)  # a copy: somebody may be reading the events of this one
        empty._history_event_list = []  # noqa: SLF001 - they are in the packed history now
        self.exec_worker = SimpleNamespace(env=SimpleNamespace(event_manager=empty, **kept))  # type: ignore[assignment]
        self._children = []

    @property
    def _environment(self) -> Any:
        return self.exec_worker.env  # type: ignore[union-attr]  # there is one from start() on

    def _unpack(self) -> None:
        if self._packed is not None:
            self._environment.event_manager._history_event_list = self._packed.events()  # noqa: SLF001 - as above
            self._packed = None

    def _events(self) -> list[dict[str, Any]]:
        worker: Any = self.exec_worker  # before it is packed: afterwards there is no history in it any more
        if self._packed is not None:
            return self._packed.events()
        # moto's accessor copies everything under a lock; a list only grows, so a shallow copy is enough to count.
        return list(worker.env.event_manager._history_event_list)  # noqa: SLF001 - see above

    def _get_start_execution_worker(self) -> LocalExecutionWorker:
        return LocalExecutionWorker(
            evaluation_details=EvaluationDetails(
                aws_execution_details=self._get_start_aws_execution_details(),
                execution_details=self.get_start_execution_details(),
                state_machine_details=self.get_start_state_machine_details(),
            ),
            exec_comm=ExecutionCommunication(self),
            cloud_watch_logging_session=None,
            activity_store=self._activity_store,
        )
