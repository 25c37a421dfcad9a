"""Read executions of a stage's state machines: what they were given, where they are, how they ended."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
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

    event_id: int
    time: datetime
    state: str


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

    def entries(self, arn: str, after: int = 0) -> list[StateEntry]:
        """Return the states that an execution came to since event `after`, in order."""
        entered = [
            StateEntry(event["id"], event["timestamp"], event["stateEnteredEventDetails"]["name"])
            for event in self._newest_events(arn, after)
            if "stateEnteredEventDetails" in event
        ]
        return entered[::-1]

    def children(self, arn: str, after: int = 0) -> list[str]:
        """Return the executions that one started and waits for, since event `after`, in order."""
        submitted = [
            _document(event["taskSubmittedEventDetails"].get("output")).get("ExecutionArn")
            for event in self._newest_events(arn, after)
            if "taskSubmittedEventDetails" in event
        ]
        return [child for child in submitted[::-1] if child]

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

    def _newest_events(self, arn: str, after: int) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=arn, reverseOrder=True, maxResults=_PAGE
        )
        for event in (event for page in pages for event in page["events"]):
            if event["id"] <= after:
                return
            yield event

    def _machine(self, arn: str) -> str:
        return str(arn).rpartition(":")[2].removeprefix(f"{self._app}-").replace("-", "_")


def _document(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
