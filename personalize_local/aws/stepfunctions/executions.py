"""Start, find and stop executions of state machines as on AWS.

moto's executing backend names every unnamed execution `None` and searches them one by one.
"""

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from moto.core.exceptions import AWSError
from moto.stepfunctions.exceptions import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    InvalidExecutionInput,
    ValidationException,
)
from moto.stepfunctions.models import StateMachineInstance
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends
from moto.stepfunctions.utils import PAGINATION_MODEL
from moto.utilities.paginator import paginate

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.limits import STATE_DATA
from personalize_local.aws.stepfunctions.local_execution import LocalExecution
from personalize_local.aws.stepfunctions.redrive_eligibility import redrive_status
from personalize_local.clock import CLOCK

MAX_OPEN_EXECUTIONS = 1_000_000  # the service's quota
TOKENS_ARE_VALID_FOR = timedelta(minutes=15)
LAST_EVENT_SECONDS = 10.0  # real, for a stopped or timed out execution to leave its last state
LONGEST_NAP_SECONDS = 0.25  # real


class LocalStepFunctions(StepFunctionsParserBackend):  # its signatures are wider than moto's
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

    @paginate(PAGINATION_MODEL)
    def list_executions(  # type: ignore[override]
        self, state_machine_arn: str, status_filter: str | None = None, redrive_filter: str | None = None
    ) -> list[LocalExecution]:
        """List a machine's executions, newest first."""
        executions: Any = self.describe_state_machine(state_machine_arn).executions
        wanted = [
            execution
            for execution in executions
            if status_filter in {None, execution.status}
            and redrive_filter in {None, "REDRIVEN" if execution.redrive_count else "NOT_REDRIVEN"}
        ]
        return sorted(wanted, key=lambda execution: execution.start_date, reverse=True)

    def redrive_execution(self, execution_arn: str, client_token: str | None = None) -> datetime:
        """Run an unsuccessful execution on from what did not succeed; a repeated token changes nothing."""
        execution = self.describe_execution(execution_arn)
        with self._starting:
            repeated = execution.redrive_tokens.get(client_token) if client_token else None
            if repeated is not None and CLOCK.now() - repeated < TOKENS_ARE_VALID_FOR:
                return repeated
            self._check_redrivable(execution)
            with execution.lock:
                execution.redrive()
            return execution.remember_redrive(client_token)

    def _check_redrivable(self, execution: LocalExecution) -> None:
        _, reason = redrive_status(execution)
        if reason is not None:
            raise ExecutionNotRedrivable(reason)
        running = sum(known.exec_status == ExecutionStatus.RUNNING for known in list(self.executions.values()))
        if running >= MAX_OPEN_EXECUTIONS:
            raise ExecutionLimitExceeded(f"Execution Limit Exceeded: {running} executions are running")
        if not execution.closed(LAST_EVENT_SECONDS):
            raise ExecutionNotRedrivable("a task of the execution is still under way: redrive it once that has ended")

    def stop_execution(  # type: ignore[override]
        self, execution_arn: str, error: str | None = None, cause: str | None = None
    ) -> LocalExecution:
        """Stop an execution, keeping why."""
        execution = self.describe_execution(execution_arn)
        execution.stop(CLOCK.now(), error, cause)
        return execution

    def forget_ended(self, before: datetime) -> None:
        """Forget the executions that ended before this moment, whose names are free again, and pack the others."""
        with self._starting:
            for execution in list(self.executions.values()):
                execution.pack()
                if execution.finished.is_set() and execution.stop_date is not None and execution.stop_date < before:
                    del self.executions[execution.exec_arn]
            for machine in self.state_machines:
                machine.executions = [known for known in machine.executions if known.execution_arn in self.executions]


class ExecutionNotRedrivable(AWSError):  # noqa: N818 - AWS's name
    """The execution cannot be redriven."""

    TYPE = "ExecutionNotRedrivable"
    STATUS = 400


class ExecutionLimitExceeded(AWSError):  # noqa: N818 - AWS's name
    """Too many executions are running."""

    TYPE = "ExecutionLimitExceeded"
    STATUS = 400


def _check_input(text: str) -> None:
    if len(text.encode()) > STATE_DATA.value:
        raise ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {STATE_DATA.value}"
        )
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error


def all_backends() -> list[LocalStepFunctions]:
    """Return the running cloud's Step Functions, one per region in use."""
    backends: Any = stepfunctions_parser_backends[current_cloud.ACCOUNT_ID]
    return list(backends.values())


def all_executions() -> Iterator[LocalExecution]:
    """Go through all executions of the running cloud."""
    for backend in all_backends():
        yield from list(backend.executions.values())


def find_execution(arn: str) -> LocalExecution:
    """Return the execution with this ARN, in whatever region it is."""
    backend: Any = stepfunctions_parser_backends[current_cloud.ACCOUNT_ID][arn.split(":")[3]]
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
        LocalStepFunctions,
        "it calls unnamed executions None, runs in real time and forgets why one was stopped",
    ),
)
