"""Look at commands that run in processes of their own."""

import functools
import subprocess
from pathlib import Path
from typing import Any

import boto3

PROJECT = Path(__file__).parents[2]


def children(pid: int) -> list[int]:
    """Return the processes below one, at any depth."""
    listed = subprocess.run(["/bin/ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = [pid]
    for above in found:
        found += [child for child, parent in pairs if parent == above]
    return found[1:]


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not waited for does not."""
    line = Path(f"/proc/{pid}/cmdline")
    try:
        return bool(line.read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return False


def client(service: str, places: dict[str, Any]) -> Any:
    """Return a client of a served cloud, given what `serve --json` said."""
    env = places["env"]
    return _client(
        service,
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


@functools.cache  # who looks again and again would make one each time
def _client(service: str, **where: str) -> Any:
    return boto3.client(service, **where)  # type: ignore[call-overload]
