"""Correct the Step Functions API: what moto's answers leave out or get wrong."""

import functools
import json
from collections.abc import Callable
from typing import Any

import moto.core.exceptions
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.exceptions import InvalidToken, ResourceNotFound, ValidationException
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from personalize_local.aws.corrections import Correction
from personalize_local.aws.stepfunctions.local_execution import LocalExecution
from personalize_local.aws.stepfunctions.redrive_eligibility import redrive_status

HISTORY_PAGE = 100  # GetExecutionHistory's default
MAX_HISTORY_PAGE = 1000


def _parameters(response: StepFunctionResponse) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(response.body)
    return parameters


def describe_execution(response: StepFunctionResponse) -> ActionResult:
    """Describe an execution; input and output are JSON texts, also when they are plain strings."""
    execution = _find(response)
    described = _listed(execution) | {"input": execution.execution_input, "inputDetails": {"included": True}}
    if execution.status == "SUCCEEDED":
        described |= {"output": json.dumps(execution.output), "outputDetails": {"included": True}}
    status, reason = redrive_status(execution)
    described |= {"redriveStatus": status} | ({} if reason is None else {"redriveStatusReason": reason})
    error_and_cause = {"error": execution.error, "cause": execution.cause}
    return ActionResult(described | {name: text for name, text in error_and_cause.items() if text is not None})


def _find(response: StepFunctionResponse) -> LocalExecution:
    execution: Any = response.stepfunction_backend.describe_execution(_parameters(response)["executionArn"])
    found: LocalExecution = execution
    return found


def _listed(execution: LocalExecution) -> dict[str, Any]:
    listed = {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.start_date,
        "redriveCount": execution.redrive_count,
    }
    dates = {"stopDate": execution.stop_date, "redriveDate": execution.redrive_date}
    return listed | {name: date for name, date in dates.items() if date is not None}


def list_executions(response: StepFunctionResponse) -> ActionResult:
    """List executions, newest first, a page at a time; every closed one has a stop date."""
    parameters = _parameters(response)
    backend: Any = response.stepfunction_backend
    _check_what_is_listed(parameters)
    try:
        executions, next_token = backend.list_executions(
            parameters["stateMachineArn"],
            status_filter=parameters.get("statusFilter"),
            redrive_filter=parameters.get("redriveFilter"),
            max_results=parameters.get("maxResults") or None,
            next_token=parameters.get("nextToken"),
        )
    except moto.core.exceptions.InvalidToken as error:
        raise InvalidToken(f"'{parameters['nextToken']}'") from error
    return ActionResult({"executions": [_listed(execution) for execution in executions], "nextToken": next_token})


def _check_what_is_listed(parameters: dict[str, Any]) -> None:
    if ("stateMachineArn" in parameters) == ("mapRunArn" in parameters):
        raise ValidationException("Specify either a stateMachineArn or a mapRunArn, but not both")
    if "mapRunArn" in parameters:  # the children of a map run are no executions of their own here
        raise ResourceNotFound(parameters["mapRunArn"])
    if parameters.get("statusFilter") == "PENDING_REDRIVE":
        raise ValidationException("statusFilter PENDING_REDRIVE needs a mapRunArn, not a stateMachineArn")


def stop_execution(response: StepFunctionResponse) -> ActionResult:
    """Stop an execution; error and cause are kept."""
    parameters = _parameters(response)
    backend: Any = response.stepfunction_backend
    execution = backend.stop_execution(parameters["executionArn"], parameters.get("error"), parameters.get("cause"))
    return ActionResult({"stopDate": execution.stop_date})


def get_execution_history(response: StepFunctionResponse) -> ActionResult:
    """Return a page of the history, from either end."""
    parameters = _parameters(response)
    events = _find(response).events()
    if parameters.get("reverseOrder"):
        events.reverse()
    start = _offset(parameters.get("nextToken"))
    end = start + min(parameters.get("maxResults") or HISTORY_PAGE, MAX_HISTORY_PAGE)
    more = {"nextToken": str(end)} if end < len(events) else {}
    return ActionResult({"events": events[start:end], **more})


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdecimal():
        raise InvalidToken(f"'{token}'")
    return int(token)


def send_task_failure(response: StepFunctionResponse) -> EmptyResult:
    """Fail a waiting task, with its cause."""
    parameters = _parameters(response)
    backend: Any = response.stepfunction_backend
    backend.send_task_failure(parameters["taskToken"], error=parameters.get("error"), cause=parameters.get("cause"))
    return EmptyResult()


def _correction(ours: Callable[[StepFunctionResponse], Any], because: str) -> Correction:
    """Return the correction of one action, for the backend that runs machines.

    A test that uses `mock_aws` in the process of a local cloud has moto's other backend, which only remembers them.
    """
    as_moto = vars(StepFunctionResponse)[ours.__name__]

    @functools.wraps(ours)
    def answer(response: StepFunctionResponse) -> Any:
        runs_machines = isinstance(response.stepfunction_backend, StepFunctionsParserBackend)
        return ours(response) if runs_machines else as_moto(response)

    return Correction(StepFunctionResponse, ours.__name__, answer, because)


CORRECTIONS = (
    _correction(describe_execution, "texts lose their quotes"),
    _correction(list_executions, "one that timed out has no stop date"),
    _correction(stop_execution, "error and cause are ignored"),
    _correction(get_execution_history, "it knows no pages and one order"),
    _correction(send_task_failure, "the cause is dropped"),
)
