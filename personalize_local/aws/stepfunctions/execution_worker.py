"""Run the program of an execution in a thread of its own, from the start or on from where an earlier one ended."""

import threading
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.utils import TMP_THREADS

from personalize_local.aws.stepfunctions import history_limit
from personalize_local.aws.stepfunctions.redrive import RunProgress
from personalize_local.clock import CLOCK

THREADS_WORTH_FORGETTING = 128


class ExecutionCommunication(BaseExecutionWorkerCommunication):
    """The interpreter's way to tell an execution that its program has ended."""

    def terminated(self) -> None:
        """Take over the outcome, unless the execution was stopped before."""
        execution: Any = self.execution
        with execution.lock:
            was_running = execution.exec_status == ExecutionStatus.RUNNING
            if was_running:
                self._reflect_execution_status()  # type: ignore[no-untyped-call]  # moto's
                execution.stop_date = CLOCK.now()
        if was_running:
            execution.status_changed()
        execution.close_history()
        execution.ended.set()
        execution.finished.set()
        execution.pack()
        if len(TMP_THREADS) > THREADS_WORTH_FORGETTING:  # moto remembers every thread it ever started
            TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]


class LocalExecutionWorker(ExecutionWorker):
    """A worker that runs the program; its environment exists before it starts, so that it can be stopped then."""

    def prepare(self, redrive_count: int = 0) -> None:
        """Make the environment that the program will run in."""
        env: Any = super()._get_evaluation_environment()
        env.progress = RunProgress()
        self._watch_history(env)
        self.env: Any = env
        self._context()["RedriveCount"] = redrive_count

    def _context(self) -> dict[str, Any]:
        execution: dict[str, Any] = self.env.states.context_object.context_object_data["Execution"]
        return execution

    def prepare_to_go_on(self, ended: Any, error: str | None, redrive_count: int, redrive_time: str) -> None:
        """Make an environment that continues one whose execution ended without success, with the same history."""
        self.prepare(redrive_count)
        self.env.progress = ended.progress.to_redrive(error)
        self._context()["RedriveTime"] = redrive_time
        self.env.event_manager = ended.event_manager
        self._watch_history(self.env)
        self.env.map_run_record_pool_manager = ended.map_run_record_pool_manager
        self.env.event_history_context.source_event_id = len(ended.event_manager._history_event_list)  # noqa: SLF001

    def go_on(self, redrive_count: int) -> None:
        """Start a thread that runs the program on, in a prepared environment."""
        thread = threading.Thread(target=self._run_on, args=(redrive_count,), daemon=True)
        TMP_THREADS.append(thread)
        thread.start()

    def _run_on(self, redrive_count: int) -> None:
        details: Any = {"executionRedrivenEventDetails": {"redriveCount": redrive_count}}
        context, kind = self.env.event_history_context, HistoryEventType.ExecutionRedriven
        self.env.event_manager.add_event(context=context, event_type=kind, event_details=details)
        self._get_evaluation_entrypoint().eval(self.env)
        self._execution_communication.terminated()

    def _watch_history(self, env: Any) -> None:
        communication: Any = self._execution_communication
        history_limit.tell_when_full(env.event_manager, communication.execution.fail)

    def _get_evaluation_environment(self) -> Any:
        return self.env
