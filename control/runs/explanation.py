"""Explain why an execution failed: where, on which resource, in whose words, and what the runbook says."""

from dataclasses import dataclass

from control.runs.execution_reader import Execution, ExecutionReader
from control.runs.following import subject
from control.runs.runbook import RunbookRow, find
from lambdas.personalize.failures import innermost

_DEEPEST = 6
_NO_FAILURE = ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE")
_ENDINGS = {
    "TIMED_OUT": "it ran longer than its state machine lets it",
    "ABORTED": "somebody stopped it",
}


@dataclass(frozen=True)
class Explanation:
    """Why an execution failed; `at` is the execution at the bottom, which may be the same."""

    execution: Execution
    at: Execution
    state: str
    subject: str
    error: str
    reason: str
    runbook: RunbookRow | None


def explain_execution(reader: ExecutionReader, execution: Execution) -> Explanation | None:
    """Return why an execution failed, or None when it did not."""
    if execution.status in _NO_FAILURE:
        return None
    at = _bottom(reader, execution)
    named = innermost({"Error": execution.error or execution.status, "Cause": execution.cause})
    error, reason = named.error, named.cause
    if not execution.cause:
        reason = _ENDINGS.get(execution.status, "Step Functions gives no cause")
    return Explanation(execution, at, reader.failing_state(at.arn), subject(at), error, reason, find(error, reason))


def _bottom(reader: ExecutionReader, execution: Execution) -> Execution:
    """Return the first execution below that failed and has none below that did."""
    for _ in range(_DEEPEST):
        children = (reader.read(arn) for arn in reader.progress(execution.arn).children)
        failed = next((child for child in children if child.status not in _NO_FAILURE), None)
        if failed is None:
            break
        execution = failed
    return execution
