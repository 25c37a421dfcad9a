"""Tell an explanation, in lines for people and as a document for programs."""

from collections.abc import Iterator
from typing import Any

from control.printing import moment
from control.runs.execution_reader import Execution
from control.runs.explanation import Explanation


def explanation_lines(why: Explanation) -> Iterator[str]:
    """Yield what failed, where, in whose words, and what the runbook says."""
    yield f"{why.execution.status} at {moment(why.execution.ended)}: {why.execution.arn}"
    yield f"  where:    {why.at.machine}{f', state {why.state}' if why.state else ''}"
    if why.subject:
        yield f"  what:     {why.subject}"
    yield f"  error:    {why.error}"
    yield f"  reason:   {why.reason}"
    if why.runbook:
        yield f"  means:    {why.runbook.means}"
        yield f"  do:       {why.runbook.advice}"
    else:
        yield "  do:       docs/runbook.md has no line about this error; starting again is safe"
    if why.at.arn != why.execution.arn:
        yield f"  below:    {why.at.arn}"


def explanation_document(execution: Execution, why: Explanation | None) -> dict[str, Any]:
    """Return how an execution ended, and under `failure` why it failed, or None when it did not."""
    return {"execution": execution.arn, "status": execution.status, "failure": None if why is None else _failure(why)}


def _failure(why: Explanation) -> dict[str, Any]:
    row = why.runbook
    return {
        "ended": why.execution.ended,
        "machine": why.at.machine,
        "state": why.state,
        "resource": why.subject,
        "error": why.error,
        "reason": why.reason,
        "runbook": None if row is None else {"means": row.means, "do": row.advice},
        "below": why.at.arn,
    }
