"""Tell an explanation in lines."""

from collections.abc import Iterator

from control.printing import moment
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
