"""End an execution whose history is full: event 25,000 is the one that says so, and nothing comes after it."""

import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager

from personalize_local.aws.corrections import Correction
from personalize_local.aws.limits import HISTORY_EVENTS

ERROR = "States.Runtime"
CAUSE = f"The execution reached the maximum number of history events ({HISTORY_EVENTS.value})."

LAST_EVENTS = frozenset(kind for kind in HistoryEventType if kind.value.startswith("Execution")) - {
    HistoryEventType.ExecutionStarted
}

CROWD = 1000  # more threads of one execution than this never add an event at the same time

_add_as_moto = EventManager.add_event
_at_the_end = threading.Lock()


def tell_when_full(history: Any, fail: Callable[[str, str], None]) -> None:
    """Have `fail` called with error and cause when this history is full."""
    history.fail_when_full = fail


def add_event(
    history: Any, context: EventHistoryContext, event_type: HistoryEventType, *arguments: Any, **named: Any
) -> int:
    """Add an event while there is room; the last place is for the event that ends the execution."""
    if _room(history) > CROWD:
        return _add_as_moto(history, context, event_type, *arguments, **named)
    with _at_the_end:
        room = _room(history)
        if room > 1 or (room == 1 and event_type in LAST_EVENTS):
            return _add_as_moto(history, context, event_type, *arguments, **named)
        if room == 1:
            failed = ExecutionFailedEventDetails(error=ERROR, cause=CAUSE)
            details = EventDetails(executionFailedEventDetails=failed)  # type: ignore[typeddict-item]  # one of many kinds
            _add_as_moto(history, context, HistoryEventType.ExecutionFailed, details)
    if room == 1:
        history.fail_when_full(ERROR, CAUSE)
    return HISTORY_EVENTS.value


def _room(history: Any) -> int:
    return HISTORY_EVENTS.value - len(history._history_event_list)  # noqa: SLF001 - moto's accessor copies them all


CORRECTIONS = (Correction(EventManager, "add_event", add_event, "a history has no end"),)
