"""Read what the handlers logged from CloudWatch Logs."""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_PREFIX: Final = "/aws/lambda/"
_OF_EVERY_LINE: Final = frozenset([
    "level", "location", "message", "timestamp", "service", "cold_start", "function_name", "function_memory_size",
    "function_arn", "function_request_id", "xray_trace_id", "exception_name",
])  # fmt: skip


@dataclass(frozen=True)
class LogLine:
    """What a function logged, as CloudWatch Logs keeps it: the JSON of a structured line, or another text."""

    time: datetime
    function: str
    message: str

    def document(self) -> dict[str, Any]:
        """Return it for programs, with the fields of a structured line."""
        fields = _fields(self.message)
        return {"time": self.time, "function": self.function, "message": fields or self.message}

    def __str__(self) -> str:
        """Return its time, level, message and what is its own; the text of any other line as it is."""
        line = _fields(self.message)
        told = self.message
        if "message" in line:
            own = {key: value for key, value in line.items() if key not in _OF_EVERY_LINE}
            own_text = json.dumps(own, default=str) if own else ""
            told = f"{line.get('level', '')} {line['message']} {own_text}".strip()
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.function}: {told}"


def log_lines(client: Any, app: str, handler: str | None, seconds: float, text: str | None) -> Iterator[LogLine]:
    """Yield the lines of one handler, or of all of a stage, since so many seconds ago; `text` is in each of them."""
    prefix = f"{_PREFIX}{app}-{(handler or '').replace('_', '-')}"
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    since = int((datetime.now(UTC) - timedelta(seconds=seconds)).timestamp() * 1000)
    streams = [_events(client, group, since, text) for group in groups]
    for timestamp, module, message in heapq.merge(*streams):
        yield LogLine(datetime.fromtimestamp(timestamp / 1000, UTC), module, message)


def _events(client: Any, group: str, since: int, text: str | None) -> Iterator[tuple[int, str, str]]:
    module = group.rpartition("/")[2]
    pattern = {"filterPattern": f'"{text}"'} if text else {}
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since, **pattern)
    found = [(event["timestamp"], module, event["message"].rstrip()) for page in pages for event in page["events"]]
    return iter(sorted(found))


def _fields(message: str) -> dict[str, Any]:
    """Return the fields of a structured line; none of any other line."""
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
