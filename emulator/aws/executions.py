"""Executions of state machines: started, found, stopped and counted as on AWS, in simulated time.

moto's executing backend names every unnamed execution `None`, searches them one by one, keeps neither error nor
cause of a stopped one, and lets a stopped execution look running until its present task is over.
"""

import contextlib
import copy
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from moto.stepfunctions.exceptions import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    InvalidExecutionInput,
    ValidationException,
)
from moto.stepfunctions.models import StateMachineInstance
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.evaluation_details import EvaluationDetails, ExecutionDetails
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from emulator.aws import runtime
from emulator.aws.corrections import Correction
from emulator.aws.interpreter import iso_time
from emulator.clock import CLOCK

MAX_INPUT_BYTES = 262_144
LONGEST_NAP_SECONDS = 0.25  # real
THREADS_WORTH_FORGETTING = 512


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
        self._children: list[str] = []

    def get_start_execution_details(self) -> ExecutionDetails:
        """Return what becomes `$$.Execution`."""
        return ExecutionDetails(self.exec_arn, self.name, self.role_arn, self.input_data, iso_time(self.start_date))

    def transitions(self) -> int:
        """Return how many states were entered; a retried state counts again, as Step Functions bills it."""
        counts = Counter(str(event["type"].value) for event in self._events())
        entered = sum(count for kind, count in counts.items() if kind.endswith("StateEntered"))
        started = counts["LambdaFunctionScheduled"] + counts["TaskScheduled"]
        retried = (
            max(0, started - counts["TaskStateEntered"])
            + max(0, counts["ParallelStateStarted"] - counts["ParallelStateEntered"])
            + max(0, counts["MapStateStarted"] - counts["MapStateEntered"])
        )
        return entered + retried

    def stop(self, stop_date: datetime, error: str | None, cause: str | None) -> None:
        """End as ABORTED at once; what the present task is doing no longer matters."""
        with self.lock:
            if self.exec_status != ExecutionStatus.RUNNING:
                return
            self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.ABORTED, stop_date, error, cause
        while self._environment.program_state() is None:  # its thread has not come to the first state yet
            time.sleep(0.001)
        super().stop(stop_date, error, cause)
        self.ended.set()
        for child in self._children:
            stop_nested(child)

    def adopt(self, child: str) -> None:
        """Remember a nested execution that this one waits for: it is stopped with its parent, as on AWS."""
        with self.lock:
            self._children.append(child)
            is_wanted = self.exec_status == ExecutionStatus.RUNNING
        if not is_wanted:
            stop_nested(child)

    def events(self) -> list[dict[str, Any]]:
        """Return the history so far."""
        return copy.deepcopy(self._events())

    @property
    def _environment(self) -> Any:
        return self.exec_worker.env  # type: ignore[union-attr]  # there is one from start() on

    def _events(self) -> list[dict[str, Any]]:
        # moto's accessor copies everything under a lock; a list only grows, so a shallow copy is enough to count.
        return list(self._environment.event_manager._history_event_list)  # noqa: SLF001 - see above

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


class StepFunctions(StepFunctionsParserBackend):  # its signatures are wider than moto's
    """moto's executing backend, with AWS's rules about names, idempotency and stopping."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.executions: dict[str, LocalExecution] = {}
        self._starting = threading.Lock()

    @property
    def _url_module(self) -> Any:
        from moto.stepfunctions import urls  # noqa: PLC0415 - moto looks for it beside the backend's class

        return urls

    def start_execution(  # type: ignore[override]
        self,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        trace_header: Any = None,
    ) -> LocalExecution:
        """Start, or return the running execution of the same name and input (StartExecution is idempotent)."""
        machine = self.describe_state_machine(state_machine_arn)
        text = "{}" if execution_input is None else execution_input
        _check_input(text)
        name = name or str(uuid.uuid4())
        self._validate_name(name)
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        with self._starting:
            if known := self.executions.get(arn):
                if known.exec_status == ExecutionStatus.RUNNING and known.execution_input == text:
                    return known
                raise ExecutionAlreadyExists(f"Execution Already Exists: '{arn}'")
            execution = self._new_execution(machine, arn, name, text, trace_header)
            self.executions[arn] = execution
            machine.executions.append(execution)  # type: ignore[arg-type]  # moto's two kinds of execution are unrelated
            execution.start()
        return execution

    def _new_execution(self, machine: Any, arn: str, name: str, text: str, trace_header: Any) -> LocalExecution:
        # A snapshot: updating a machine does not change what is running.
        snapshot = StateMachineInstance(machine.arn, machine.name, machine.definition, machine.roleArn)
        return LocalExecution(
            name=name,
            sm_type=machine.type,
            role_arn=machine.roleArn,
            exec_arn=arn,
            account_id=self.account_id,
            region_name=self.region_name,
            state_machine=snapshot,
            start_date=CLOCK.now(),
            cloud_watch_logging_session=None,
            input_data=text,
            trace_header=trace_header,
            activity_store={},
        )

    def describe_execution(self, execution_arn: str) -> LocalExecution:  # type: ignore[override]
        """Find an execution, without going through all of them."""
        self._validate_execution_arn(execution_arn)
        if execution_arn not in self.executions:
            raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{execution_arn}'")
        return self.executions[execution_arn]

    def stop_execution(  # type: ignore[override]
        self, execution_arn: str, error: str | None = None, cause: str | None = None
    ) -> LocalExecution:
        """Stop an execution, keeping why."""
        execution = self.describe_execution(execution_arn)
        execution.stop(CLOCK.now(), error, cause)
        return execution


def _check_input(text: str) -> None:
    if len(text.encode()) > MAX_INPUT_BYTES:
        raise ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_INPUT_BYTES}"
        )
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error


def all_executions() -> Iterator[LocalExecution]:
    """Go through all executions of the running cloud."""
    backends: Any = stepfunctions_parser_backends[runtime.ACCOUNT_ID]
    for backend in list(backends.values()):
        yield from list(backend.executions.values())


def find_execution(arn: str) -> LocalExecution:
    """Return the execution with this ARN, in whatever region it is."""
    backend: Any = stepfunctions_parser_backends[runtime.ACCOUNT_ID][arn.split(":")[3]]
    found: LocalExecution = backend.describe_execution(arn)
    return found


def wait_until_ended(arn: str, still_wanted: Callable[[], bool]) -> bool:
    """Block until the execution's status is final, or nobody wants to know; return whether it is final."""
    execution = find_execution(arn)
    while not execution.ended.wait(LONGEST_NAP_SECONDS):
        if not still_wanted():
            return False
    return True


def stop_nested(arn: str) -> None:
    """Stop a child whose parent no longer waits for it; best effort, as on AWS."""
    with contextlib.suppress(Exception):
        find_execution(arn).stop(CLOCK.now(), None, None)


CORRECTIONS = (
    Correction(
        stepfunctions_parser_backends,
        "backend",
        StepFunctions,
        "it calls unnamed executions None, runs in real time and forgets why one was stopped",
    ),
)
