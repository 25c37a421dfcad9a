"""The process that forks Lambda workers, seen from the cloud."""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

from personalize_local.aws.lambda_ import bootstrap
from personalize_local.engine.processes.child_processes import ChildProcess

PRELOADED = (
    "boto3",
    "botocore.httpsession",
    "botocore.endpoint",
    "botocore.handlers",
    "botocore.retries.standard",
    "aws_lambda_powertools",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.batch",
    "pydantic",
    "pydantic.v1",
)


class Nursery:
    """The process that forks workers. One per Python process, kept from cloud to cloud: it takes a second to start."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._control = ours
        self._lock = threading.Lock()
        command = [sys.executable, "-P", "-s", bootstrap.__file__, str(theirs.fileno()), *PRELOADED]
        environment = {"PATH": os.environ.get("PATH", ""), "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", "TZ": ":UTC"}
        self._process = ChildProcess(command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL)
        theirs.close()

    @property
    def is_alive(self) -> bool:
        """Tell whether it can still fork."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return its process id, which is also that of the group its workers are in."""
        return self._process.pid

    def fork(self, order: Mapping[str, Any], fds: list[int]) -> int:
        """Start a worker and return its process id."""
        return int(self._ask(order, fds)["pid"])

    def reap(self, pid: int) -> int:
        """Wait for a worker that is ending and return its exit status; negative for a signal."""
        return int(self._ask({"reap": pid}, [])["status"])

    def _ask(self, order: Mapping[str, Any], fds: list[int]) -> dict[str, Any]:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(order).encode()], fds)
            told = self._control.recv(1 << 16)
            if not told:
                raise ConnectionError("the process that forks Lambda workers has ended")
            answer: dict[str, Any] = json.loads(told)
            return answer

    def close(self) -> None:
        """End the nursery and every worker that is left."""
        self._control.close()
        self._process.end_group()


_nursery: list[Nursery] = []
_nursery_lock = threading.Lock()


def nursery() -> Nursery:
    """Return this process's nursery, starting it if need be."""
    with _nursery_lock:
        if _nursery and not _nursery[0].is_alive:
            _nursery.clear()
        if not _nursery:
            _nursery.append(Nursery())
            atexit.register(_nursery[0].close)
        return _nursery[0]
