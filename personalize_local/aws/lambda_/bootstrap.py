"""Run handlers in a Lambda worker process, with the standard library only and nothing of this project.

Started once as the *fork server*: a process that has imported what every handler imports (boto3, Powertools, pydantic),
has read what describes the services they call, and forks a worker whenever the cloud asks for one, so that a cold start
takes little but the handler's own imports. A worker imports its handler from the unpacked code asset and answers
invocations, one at a time, until its socket closes.

Messages in both directions are JSON after a four-byte length. When the cloud goes away, so do fork server and workers.
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import random
import resource
import signal
import socket
import struct
import sys
import time
import traceback
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LENGTH = struct.Struct(">I")


def send(sock: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message."""
    body = json.dumps(message).encode()
    sock.sendall(LENGTH.pack(len(body)) + body)


def receive(sock: socket.socket) -> dict[str, Any] | None:
    """Receive one message; None when the other side has gone."""
    header = _exactly(sock, LENGTH.size)
    body = _exactly(sock, LENGTH.unpack(header)[0]) if header else None
    return json.loads(body) if body else None


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        try:
            part = sock.recv(size - len(received))
        except ConnectionError:
            return None
        if not part:
            return None
        received += part
    return bytes(received)


class LambdaContext:
    """The second argument of a handler, as documented for Python."""

    identity = None
    client_context = None

    def __init__(self, invocation: Mapping[str, Any]) -> None:
        environment = os.environ
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = invocation["arn"]
        self.aws_request_id = invocation["id"]
        self._deadline = time.monotonic() + invocation["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the handler may still run."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def _failure(kind: str, text: str, request_id: str, trace: Sequence[str] = ()) -> dict[str, Any]:
    error = {"errorMessage": text, "errorType": kind, "requestId": request_id, "stackTrace": list(trace)}
    return {"error": True, "payload": json.dumps(error)}


def _load(handler: str) -> Any:
    module_name, _, function_name = handler.rpartition(".")
    module = importlib.import_module(module_name.replace("/", "."))
    return getattr(module, function_name)


def _load_failure(error: BaseException, handler: str, request_id: str) -> dict[str, Any]:
    module_name, _, function_name = handler.rpartition(".")
    if isinstance(error, AttributeError) and getattr(error, "name", None) == function_name:
        text = f"Handler '{function_name}' missing on module '{module_name}'"
        return _failure("Runtime.HandlerNotFound", text, request_id)
    if isinstance(error, ImportError):
        text = f"Unable to import module '{module_name}': {error}"
        return _failure("Runtime.ImportModuleError", text, request_id)
    if isinstance(error, SyntaxError):
        text = f"Syntax error in module '{module_name}': {error}"
        return _failure("Runtime.UserCodeSyntaxError", text, request_id)
    return _failure(type(error).__name__, str(error), request_id, traceback.format_exception(error)[1:-1])


def _invoke(handler: Any, invocation: Mapping[str, Any]) -> dict[str, Any]:
    request_id = invocation["id"]
    os.environ["_X_AMZN_TRACE_ID"] = invocation["trace"]
    try:
        result = handler(json.loads(invocation["event"]), LambdaContext(invocation))
    except Exception as error:  # noqa: BLE001 - Lambda reports every exception to the caller
        frames = traceback.format_tb(error.__traceback__)[1:]
        return _failure(type(error).__name__, str(error), request_id, frames)
    try:
        payload = json.dumps(result, ensure_ascii=False)  # as Lambda's runtimes do: a letter is as long as its UTF-8
        payload.encode()
    except (TypeError, ValueError) as error:
        return _failure("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)
    return {"error": False, "payload": payload}


def _used() -> dict[str, Any]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return {"memory_bytes": used.ru_maxrss * unit, "cpu_seconds": used.ru_utime + used.ru_stime}


def serve(sock: socket.socket, handler_name: str) -> None:
    """Answer invocations until the socket closes; a handler that cannot be imported is tried again each time.

    Each answer says what the process has used so far; so does a message of its own once the handler is imported.
    """
    handler = None
    while (invocation := receive(sock)) is not None:
        if handler is None:
            try:
                handler = _load(handler_name)
            except Exception as error:  # noqa: BLE001 - as above
                send(sock, {**_load_failure(error, handler_name, invocation["id"]), **_used()})
                continue
            send(sock, {"imported": True, **_used()})
        answer = _invoke(handler, invocation)
        sys.stdout.flush()
        sys.stderr.flush()
        send(sock, {**answer, **_used()})


def _hurry_retries(speed: float) -> None:
    """Let botocore's waits before its retries pass in simulated time, as those of state machines do."""
    endpoint = sys.modules.get("botocore.endpoint")
    if endpoint is not None:
        endpoint.time = types.SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / speed))  # type: ignore[attr-defined]


def _become_worker(order: Mapping[str, Any], sock: socket.socket, log_fd: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the cloud, and the cloud ends its workers
    for stream in (1, 2):
        os.dup2(log_fd, stream)
    os.close(log_fd)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    random.seed()
    _hurry_retries(order["speed"])
    os.chdir(order["directory"])
    sys.path[:0] = order["path"]
    logging.basicConfig(format="[%(levelname)s]\t%(asctime)s\t%(message)s", stream=sys.stderr)
    serve(sock, order["handler"])


def _fork(order: Mapping[str, Any], fds: Sequence[int], control: socket.socket) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    sock = socket.socket(fileno=fds[0])  # held until the very end: when it closes, the exit status must stand
    try:
        control.close()
        _become_worker(order, sock, fds[1])
        status = 0
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:  # noqa: BLE001 - a forked child must never return into the fork server's loop
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _warm_up(modules: Iterable[str], services: Iterable[str]) -> None:
    """Do before any fork what would be the same in all: imports, and reading botocore's descriptions of services."""
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    if "boto3" in sys.modules:
        _read_descriptions_once(sys.modules["botocore.loaders"].JSONFileLoader)
        keys = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}  # else it would look for some
        session = sys.modules["boto3"].Session(region_name="us-east-1", **keys)
        for service in services:
            session.client(service)
    gc.freeze()  # what is in memory stays shared between the forks


def _read_descriptions_once(loader: Any) -> None:
    """Let all sessions share the files that botocore reads, which it keeps for one session only."""
    read, known = loader.load_file, {}

    def load_file(self: Any, path: str) -> Any:
        if path not in known:
            known[path] = read(self, path)
        return known[path]

    loader.load_file = load_file


def nurse(control: socket.socket, modules: Iterable[str], services: Iterable[str]) -> None:
    """Fork workers and tell how they ended, until the cloud has gone; then end them all."""
    _warm_up(modules, services)
    while True:
        try:
            data, fds, _, _ = socket.recv_fds(control, 1 << 20, 2)
        except ConnectionResetError:  # the cloud was killed before it read our last answer
            data, fds = b"", []
        if not data:
            os.killpg(0, signal.SIGKILL)
        order = json.loads(data)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            answer = {"status": os.waitstatus_to_exitcode(status)}
        else:
            answer = {"pid": _fork(order, fds, control)}
            for fd in fds:
                os.close(fd)
        control.sendall(json.dumps(answer).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nurse(socket.socket(fileno=int(sys.argv[1])), **json.loads(sys.argv[2]))
