"""Read executions of a stage's state machines: what they were given, where they are, how they ended."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Any, Final

RUNNING: Final = "RUNNING"
_MOST_LISTED: Final = 50  # of one machine's newest executions, when those of a group are looked for
_PAGE: Final = 200


class NoSuchExecutionError(LookupError):
    """There is no such execution, or Step Functions has forgotten it (after 90 days)."""


@dataclass(frozen=True)
class Execution:
    """An execution as it is now; `machine` is the name of its state machine in this project (``import_data``)."""

    arn: str
    machine: str
    status: str
    began: datetime
    ended: datetime | None
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    error: str = ""
    cause: str = ""

    @property
    def group(self) -> str:
        """The dataset group that it is about, as far as its input says."""
        wanted = self.input.get("datasetGroup", "")
        if isinstance(wanted, Mapping):
            wanted = wanted.get("name", "")
        if not wanted and isinstance(request := self.input.get("request"), str):  # runs/<group>/<digest>.json
            wanted = request.split("/")[1] if request.count("/") > 1 else ""
        return str(wanted)


@dataclass(frozen=True)
class StateEntry:
    """A state that an execution came to."""

    time: datetime
    state: str


@dataclass(frozen=True)
class Progress:
    """States that were come to and executions that were started, in order, up to an event of the history."""

    entries: tuple[StateEntry, ...]
    children: tuple[str, ...]
    last_event_id: int


class ExecutionReader:
    """Reads executions of one stage, through a client of boto3; `app` begins the names of its machines."""

    def __init__(self, client: Any, app: str) -> None:
        self._client = client
        self._app = app

    def read(self, arn: str) -> Execution:
        """Return an execution. Raises NoSuchExecutionError."""
        errors = self._client.exceptions
        try:
            found = self._client.describe_execution(executionArn=arn)
        except (errors.ExecutionDoesNotExist, errors.InvalidArn) as error:
            raise NoSuchExecutionError(
                f"there is no execution {arn}; after 90 days Step Functions forgets them"
            ) from error
        return Execution(
            arn,
            self._machine(found["stateMachineArn"]),
            found["status"],
            found["startDate"],
            found.get("stopDate"),
            _document(found.get("input")),
            _document(found.get("output")),
            found.get("error", ""),
            found.get("cause", ""),
        )

    def newest(self, machine_arn: str, status: str | None = None, most: int = _MOST_LISTED) -> Iterator[Execution]:
        """Yield a machine's newest executions, the newest first."""
        wanted = {"statusFilter": status} if status else {}
        pages = self._client.get_paginator("list_executions").paginate(stateMachineArn=machine_arn, **wanted)
        listed = (one["executionArn"] for page in pages for one in page["executions"])
        return (self.read(arn) for arn in islice(listed, most))

    def progress(self, arn: str, after: int = 0) -> Progress:
        """Return what an execution has come to since event `after`."""
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=arn, reverseOrder=True, maxResults=_PAGE
        )
        newest = takewhile(lambda event: event["id"] > after, (event for page in pages for event in page["events"]))
        events = list(newest)[::-1]
        return Progress(
            tuple(
                StateEntry(event["timestamp"], event["stateEnteredEventDetails"]["name"])
                for event in events
                if "stateEnteredEventDetails" in event
            ),
            tuple(filter(None, map(_child_arn, events))),
            events[-1]["id"] if events else after,
        )

    def failing_state(self, arn: str) -> str:
        """Return the last state that was entered before the first thing that failed; empty if nothing did."""
        entered = ""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        for event in (event for page in pages for event in page["events"]):
            if event["type"] in ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut"):
                return entered
            if event["type"] in ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted", "FailStateEntered"):
                return entered
            entered = event.get("stateEnteredEventDetails", {}).get("name", entered)
        return ""

    def _machine(self, arn: str) -> str:
        return str(arn).rpartition(":")[2].removeprefix(f"{self._app}-").replace("-", "_")


def _document(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}


def _child_arn(event: Mapping[str, Any]) -> str | None:
    output = event.get("taskSubmittedEventDetails", {}).get("output")
    return _document(output).get("ExecutionArn")
