"""Run Lambda functions: moto's function, with worker processes in the place of Docker."""

import atexit
import base64
import datetime as dt
import io
import json
import math
import shutil
import signal
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moto.awslambda.models
from moto.awslambda.models import LambdaFunction

from personalize_local.aws import current_cloud
from personalize_local.aws.clock_times import milliseconds
from personalize_local.aws.corrections import Correction
from personalize_local.aws.lambda_ import payload_limits
from personalize_local.aws.lambda_.workers import Answer, Sandbox

ASYNC_RETRY_SECONDS = (60, 120)  # Lambda tries an asynchronous event three times; these are the waits between
TAIL_BYTES = 4096  # what LogType=Tail shows

_unpacked = Path(tempfile.mkdtemp(prefix="local-cloud-code-"))
_unpacking = threading.Lock()
atexit.register(shutil.rmtree, _unpacked, ignore_errors=True)


def unpack(sha256: str, archive: bytes) -> Path:
    """Unpack a code asset or a layer once per process; like /var/task it is only read."""
    directory = _unpacked / "".join(letter if letter.isalnum() else "_" for letter in sha256)
    with _unpacking:
        if not directory.exists():
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                opened.extractall(directory)
    return directory


@dataclass(frozen=True)
class InvocationResult:
    """The end of one invocation, as the Invoke API tells it."""

    request_id: str
    payload: str
    is_error: bool
    log: str


def report_line(request_id: str, seconds: float, memory_mib: int, answer: Answer) -> str:
    """Return the line that ends the log of an invocation, as Lambda writes it."""
    used_mib = memory_mib if answer.out_of_memory else answer.usage.memory_mib
    facts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {seconds * 1000:.2f} ms",
        f"Billed Duration: {math.ceil(seconds * 1000)} ms",
        f"Memory Size: {memory_mib} MB",
        f"Max Memory Used: {used_mib} MB",
    ]
    if answer.payload is None:
        facts.append("Status: timeout" if answer.timed_out else "Status: error")
    if answer.out_of_memory:
        facts.append("Error Type: Runtime.OutOfMemory")
    return "\t".join(facts)


class LocalFunction(LambdaFunction):
    """A function whose code runs in worker processes, with the errors, logs and retries of Lambda."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self.logs_group_name = spec.get("LoggingConfig", {}).get("LogGroup", self.logs_group_name)
        day = dt.datetime.now(dt.UTC).strftime("%Y/%m/%d")
        self._log_stream = f"{day}/[{self.version}]{uuid.uuid4().hex}"
        self._logging = threading.Lock()

    def invoke(self, body: str, request_headers: Any, response_headers: Any) -> str | bytes:
        """Invoke synchronously, or promise to (`Event`), or do nothing (`DryRun`)."""
        kind = request_headers.get("x-amz-invocation-type", "RequestResponse")
        payload_limits.check_request(body or "", kind)
        if kind == "DryRun":
            return b""
        if kind == "Event":
            current_cloud.current().task_scheduler.add(lambda: self.run_async(body or "{}"))
            return b""
        outcome = self.run(body or "{}")
        response_headers["x-amz-log-result"] = base64.b64encode(outcome.log.encode()[-TAIL_BYTES:]).decode()
        if outcome.is_error:
            response_headers["x-amz-function-error"] = "Unhandled"
        return outcome.payload.encode()

    def run(self, event: str, request_id: str | None = None) -> InvocationResult:
        """Run the handler once, log what it wrote, and count an error if it ended in one."""
        request_id = request_id or str(uuid.uuid4())
        invocation = {
            "id": request_id,
            "arn": self.function_arn,
            "timeout": self.timeout,
            "memory_mib": self.memory_size,
            "event": event,
            "trace": f"Root=1-{request_id[:8]}-{request_id.replace('-', '')[8:]};Sampled=0",
        }
        cloud = current_cloud.current()
        began = time.monotonic()
        answer = cloud.workers.invoke(self.sandbox(cloud.environment), invocation)
        report = report_line(request_id, time.monotonic() - began, self.memory_size, answer)
        answer = payload_limits.bounded(answer)
        payload = answer.payload if answer.payload is not None else self._how_it_ended(answer, request_id)
        start, end = f"START RequestId: {request_id} Version: {self.version}", f"END RequestId: {request_id}"
        log = f"{start}\n{answer.log}{end}\n{report}\n"
        self._write_log(log)
        if answer.is_error and not cloud.stopping.is_set():
            error = json.loads(payload)
            cloud.lambda_errors.append(
                current_cloud.LambdaError(self.function_name, request_id, error["errorType"], error["errorMessage"])
            )
        return InvocationResult(request_id, payload, answer.is_error, log)

    def run_async(self, event: str, tries_made: int = 0, request_id: str | None = None) -> None:
        """Run the handler for an asynchronous event; on an error try again after a minute, then after two.

        All tries have one request id, as on AWS.
        """
        result = self.run(event, request_id)
        if result.is_error and tries_made < len(ASYNC_RETRY_SECONDS):
            current_cloud.current().task_scheduler.add(
                lambda: self.run_async(event, tries_made + 1, result.request_id), ASYNC_RETRY_SECONDS[tries_made]
            )

    def sandbox(self, cloud_environment: Mapping[str, str]) -> Sandbox:
        """Describe the process that can run this function as it is configured now."""
        directory = unpack(self.code_sha_256, self.code_bytes)
        layers = [str(path) for path in self._layer_directories()]
        return Sandbox(
            function_name=self.function_name,
            handler=str(self.handler),
            directory=directory,
            path=(str(directory), *layers),
            environment=tuple(sorted({**cloud_environment, **self._reserved(directory), **self._variables()}.items())),
        )

    def _layer_directories(self) -> Iterable[Path]:
        backend = moto.awslambda.models.lambda_backends[self.account_id][self.region]
        for layer in self.layers:
            version = backend.layers_versions_by_arn(layer["Arn"])
            if version is not None:
                yield unpack(version.code_sha_256, version.code_bytes) / "python"

    def _variables(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.environment_vars.items()}

    def _reserved(self, directory: Path) -> dict[str, str]:
        return {
            "_HANDLER": self.handler,
            "AWS_ACCESS_KEY_ID": self.role.rpartition("/")[2],  # so that the endpoint knows whose policies apply
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.run_time}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_size),
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(self.version),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.logs_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log_stream,
            "AWS_XRAY_SDK_ENABLED": "false",
            "LAMBDA_TASK_ROOT": str(directory),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "TZ": ":UTC",
        }

    def _how_it_ended(self, answer: Answer, request_id: str) -> str:
        if answer.timed_out:
            kind, text = "Sandbox.Timedout", f"Task timed out after {self.timeout:.2f} seconds"
        elif answer.out_of_memory:
            kind, text = "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"
        elif answer.exit_status:
            how = f"exit status {answer.exit_status}"
            if answer.exit_status < 0:
                how = f"signal: {signal.strsignal(-answer.exit_status)}".lower()
            kind, text = "Runtime.ExitError", f"Runtime exited with error: {how}"
        else:
            kind, text = "Runtime.ExitError", "Runtime exited without providing a reason"
        return json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {text}"})

    def _write_log(self, text: str) -> None:
        now = int(milliseconds())
        lines = [{"timestamp": now, "message": line} for line in text.splitlines()]
        with self._logging:
            self.logs_backend.ensure_log_group(self.logs_group_name)
            if self._log_stream not in self.logs_backend.groups[self.logs_group_name].streams:
                self.logs_backend.create_log_stream(self.logs_group_name, self._log_stream)
            self.logs_backend.put_log_events(self.logs_group_name, self._log_stream, lines)


CORRECTIONS = (Correction(moto.awslambda.models, "LambdaFunction", LocalFunction, "it needs Docker"),)
