"""Read what the handlers logged from CloudWatch Logs."""

import heapq
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_PREFIX: Final = "/aws/lambda/"
_OF_EVERY_LINE: Final = frozenset([
    "level", "location", "message", "timestamp", "service", "cold_start", "function_name", "function_memory_size",
    "function_arn", "function_request_id", "xray_trace_id", "exception_name",
])  # fmt: skip


def log_lines(client: Any, app: str, handler: str | None, seconds: float, text: str | None) -> Iterator[str]:
    """Yield the lines of one handler, or of all of a stage, since so many seconds ago; `text` is in each of them."""
    prefix = f"{_PREFIX}{app}-{(handler or '').replace('_', '-')}"
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    since = int((datetime.now(UTC) - timedelta(seconds=seconds)).timestamp() * 1000)
    streams = [_events(client, group, since, text) for group in groups]
    for timestamp, module, message in heapq.merge(*streams):
        time = datetime.fromtimestamp(timestamp / 1000, UTC)
        yield f"{time:%Y-%m-%d %H:%M:%S} {module}: {_readable(message)}"


def _events(client: Any, group: str, since: int, text: str | None) -> Iterator[tuple[int, str, str]]:
    module = group.rpartition("/")[2]
    pattern = {"filterPattern": f'"{text}"'} if text else {}
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since, **pattern)
    found = [(event["timestamp"], module, event["message"].rstrip()) for page in pages for event in page["events"]]
    return iter(sorted(found))


def _readable(message: str) -> str:
    """Return a structured line as its level, message and what is its own; any other line as it is."""
    try:
        line = json.loads(message)
    except ValueError:
        return message
    if not isinstance(line, dict) or "message" not in line:
        return message
    own = {key: value for key, value in line.items() if key not in _OF_EVERY_LINE}
    return f"{line.get('level', '')} {line['message']} {json.dumps(own, default=str) if own else ''}".strip()
