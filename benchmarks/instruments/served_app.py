"""Serve the app in a process that a benchmark may kill at any moment."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from personalize_local import serving
from personalize_local.__main__ import parser

SPEED = 600.0


class ServedApp:
    """A served app in a process of its own, forked from this one, which has imported everything already."""

    def __init__(self, state: Path, assembly: Path) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(reading)
            os.dup2(writing, 1)
            # As the command line would: what it leaves out has the value that it has there.
            given = ["serve", "--json", "--speed", str(SPEED), "--state", str(state), "--assembly", str(assembly)]
            os._exit(serving.run(parser().parse_args(given)))
        os.close(writing)
        began = time.monotonic()
        with os.fdopen(reading, encoding="utf-8") as told:
            line = told.readline()
            if not told.readline().startswith("READY"):
                raise RuntimeError(f"serve did not start again: exit {self.end(signal.SIGKILL)}")
        self.places: dict[str, Any] = json.loads(line)
        self.start_seconds = time.monotonic() - began
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return a client that is quick to see that the server is gone."""
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    def _client(self, service: str) -> Any:
        settings = Config(retries={"total_max_attempts": 1})
        env = self.places["env"]
        return boto3.client(  # type: ignore[call-overload]  # any service
            service,
            endpoint_url=env["AWS_ENDPOINT_URL"],
            region_name=env["AWS_REGION"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            config=settings,
        )

    def end(self, signal_number: int) -> int:
        """Send the signal and wait for the end."""
        os.kill(self.pid, signal_number)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
