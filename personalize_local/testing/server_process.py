"""Run Personalize in a child process, which answers over HTTP and ends with this one."""

import json
import os
import subprocess
import sys
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

import boto3

from personalize_local.engine.processes.child_processes import ChildProcess
from personalize_local.personalize.controls.control_client import change


class ServerProcess:
    """A `serve --bare` of our own, from the beginning to the end of a `with` block."""

    def __init__(self, speed: float, state_directory: Path | None = None) -> None:
        kept = () if state_directory is None else ("--state", str(state_directory))
        serve = ("serve", "--bare", "--json", "--speed", str(speed), "--parent", str(os.getpid()), *kept)
        self._command = [sys.executable, "-m", "personalize_local", *serve]
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._process = ChildProcess(self._command, stdout=subprocess.PIPE)
        told = _pipe(self._process.stdout).readline()
        if not told:
            raise RuntimeError(f"the local Personalize did not start; it ended with status {self._process.wait()}")
        self._told = json.loads(told)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.end_group()
        _pipe(self._process.stdout).close()

    @property
    def endpoint(self) -> str:
        """Return the URL it answers at."""
        return str(self._told["endpoint"])

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that let any AWS SDK or the CLI find it."""
        return dict(self._told["env"])

    def client(self, service: str) -> Any:
        """Return a boto3 client of it, the same one for each service."""
        if service not in self._clients:
            env = self.environment
            session = boto3.Session(
                env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["AWS_REGION"]
            )
            self._clients[service] = session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]
        return self._clients[service]

    def control(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something, and return what is in force. Raises ValueError with the reason when it is refused."""
        try:
            return change(self.endpoint, action, body)
        except urllib.error.HTTPError as error:
            message = json.loads(error.read())["message"]
            raise (TimeoutError if "under way" in message else ValueError)(message) from error


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the child process has no such pipe")
    return pipe
