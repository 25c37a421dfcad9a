"""Decide which executions may be redriven, and say why another may not, in the service's words."""

from datetime import timedelta
from typing import TYPE_CHECKING

from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from personalize_local.clock import CLOCK

if TYPE_CHECKING:
    from personalize_local.aws.stepfunctions.local_execution import LocalExecution

REDRIVABLE_PERIOD = timedelta(days=14)  # from the end of the execution
MAX_OPEN_TIME = timedelta(days=365)
MAX_HISTORY_EVENTS = 24_999  # there must be fewer: ExecutionRedriven and one more have to fit
UNSUCCESSFUL = ("FAILED", "ABORTED", "TIMED_OUT")


def redrive_status(execution: "LocalExecution") -> tuple[str, str | None]:
    """Return whether an execution is REDRIVABLE or NOT_REDRIVABLE now, and in that case why."""
    reason = _why_not(execution)
    return ("REDRIVABLE", None) if reason is None else ("NOT_REDRIVABLE", reason)


def _why_not(execution: "LocalExecution") -> str | None:
    if execution.sm_type == "EXPRESS":
        return "Execution is of type EXPRESS and cannot be redriven"
    if execution.status not in UNSUCCESSFUL:
        return f"Execution is {execution.status} and cannot be redriven"
    now = CLOCK.now()
    backend = stepfunctions_parser_backends[execution.account_id][execution.region_name]
    reasons = {
        "State machine is in DELETING status": execution.state_machine_arn
        not in {machine.arn for machine in backend.state_machines},
        "Execution history event limit exceeded": execution.history_length() >= MAX_HISTORY_EVENTS,
        "Execution has exceeded the max execution time": now - execution.start_date > MAX_OPEN_TIME,
        "Execution redrivable period exceeded": now - (execution.stop_date or now) > REDRIVABLE_PERIOD,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
