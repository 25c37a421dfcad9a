"""Start the process that forks Lambda workers, and talk to it."""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

from personalize_local.aws.lambda_ import bootstrap
from personalize_local.engine.processes.child_processes import ChildProcess

# What nearly every handler imports, and what these import late, when somebody first asks for it.
PRELOADED: Final = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.typing",
    "aws_xray_sdk.core",  # Powertools' tracer does; it makes two clients
    "boto3",
    "boto3.s3.inject",
    "botocore.endpoint",
    "botocore.handlers",
    "botocore.httpsession",
    "botocore.retries.standard",
    "pydantic",
    "pydantic.alias_generators",
    "pydantic.fields",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.types",
    "pydantic.v1",
    "zoneinfo",
)
# Whose descriptions are read ahead. Others are read by each worker that asks for them.
SERVICES: Final = (
    "cloudwatch",
    "dynamodb",
    "events",
    "personalize",
    "s3",
    "scheduler",
    "sns",
    "ssm",
    "stepfunctions",
)
_ENVIRONMENT: Final = {
    "AWS_CONFIG_FILE": os.devnull,  # nothing of the person's at whose machine this is
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_XRAY_SDK_ENABLED": "false",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    "TZ": ":UTC",
}


class ForkServer:
    """The process that forks Lambda workers.

    There is one per Python process, kept from cloud to cloud: it takes a second to start.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._control = ours
        self._lock = threading.Lock()
        what = json.dumps({"modules": PRELOADED, "services": SERVICES})
        command = [sys.executable, "-P", "-s", bootstrap.__file__, str(theirs.fileno()), what]
        environment = {"PATH": os.environ.get("PATH", ""), **_ENVIRONMENT}
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
            reply = self._control.recv(1 << 16)
            if not reply:
                raise ConnectionError("the process that forks Lambda workers has ended")
            answer: dict[str, Any] = json.loads(reply)
            return answer

    def close(self) -> None:
        """End the fork server and every worker that is left."""
        self._control.close()
        self._process.end_group()


_fork_server: list[ForkServer] = []
_fork_server_lock = threading.Lock()


def fork_server() -> ForkServer:
    """Return this process's fork server, starting it if need be."""
    with _fork_server_lock:
        if _fork_server and not _fork_server[0].is_alive:
            _fork_server.clear()
        if not _fork_server:
            _fork_server.append(ForkServer())
            atexit.register(_fork_server[0].close)
        return _fork_server[0]
