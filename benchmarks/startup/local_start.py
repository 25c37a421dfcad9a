"""How soon the local Personalize answers, and what it holds while nobody asks, beside moto's own server.

python -m benchmarks.startup.local_start
"""

import json
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.instruments.bars import Bar, report

REPEATS: Final = 5
SECONDS_TO_FIRST_ANSWER: Final = 2.0
IDLE_MB: Final = 250.0
_PATIENCE_SECONDS: Final = 60.0
_IDLE_SECONDS: Final = 1.0
_QUESTION: Final = {
    "X-Amz-Target": "AmazonPersonalize.ListSchemas",
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/personalize/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}",
}
_BARE: Final = ("-m", "personalize_local", "serve", "--bare", "--port")
_MOTO: Final = ("-m", "moto.server", "-p")


class Start(NamedTuple):
    """One start of a server: until its first answer, and its memory a second later."""

    seconds: float
    memory_mb: float


def main() -> int:
    """Print both as they are and as ratios to moto's server; return how many bars were missed."""
    ours, theirs = [], []
    for _ in range(REPEATS):  # in turns, so that a noisy neighbour meets both
        ours.append(_start(_BARE))
        theirs.append(_start(_MOTO))
    seconds, memory = (statistics.median(each) for each in zip(*ours, strict=True))
    moto_seconds, moto_memory = (statistics.median(each) for each in zip(*theirs, strict=True))
    return report(
        "The local Personalize at its start",
        [
            Bar("seconds to the first answer", seconds, SECONDS_TO_FIRST_ANSWER, at_most=True,
                detail=f"{seconds / moto_seconds:.2f} x moto_server ({moto_seconds:.2f} s)"),
            Bar("MB held when idle", memory, IDLE_MB, at_most=True,
                detail=f"{memory / moto_memory:.2f} x moto_server ({moto_memory:.0f} MB)"),
        ],
    )  # fmt: skip


def _start(server: Sequence[str]) -> Start:
    port = _free_port()
    command = [sys.executable, *server, str(port)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            _ask_until_answered(port)
            seconds = time.perf_counter() - began
            time.sleep(_IDLE_SECONDS)
            return Start(seconds, _resident_mb(process.pid))
        finally:
            process.terminate()


def _free_port() -> int:
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _ask_until_answered(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", b"{}", _QUESTION)
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                assert json.loads(answer.read()) == {"schemas": []}  # noqa: S101 - both have none
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise TimeoutError(f"nothing answers at port {port}")


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    resident = next(line for line in lines if line.startswith("VmRSS:"))
    return int(resident.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
