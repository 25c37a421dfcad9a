"""Run the local cloud: a small AWS in one process, for the demo, for tests, and for anybody's boto3."""

import contextlib
import functools
import json
import secrets
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import boto3
from moto import mock_aws

import personalize_local.personalize
from personalize_local.aws import background, current_cloud, installation
from personalize_local.aws.current_cloud import LambdaError
from personalize_local.aws.http.callers import SERVED, Callers, Deployer
from personalize_local.aws.http.endpoint import Access, Endpoint, dispatcher
from personalize_local.aws.iam.authorization import Guard
from personalize_local.aws.lambda_.workers import WorkerPool
from personalize_local.aws.shell_settings import without_shell_settings
from personalize_local.aws.sns.notices import Notice
from personalize_local.aws.stepfunctions.executions import all_executions, find_execution
from personalize_local.aws.stepfunctions.local_execution import LocalExecution
from personalize_local.clock import CLOCK
from personalize_local.deploy import DeployedApp, deploy
from personalize_local.personalize.protocol.direct_calls import DirectCalls
from personalize_local.state.directory import State
from personalize_local.state.moments import kept, restore_clock

CREDENTIAL = "local"  # in this process any will do: nothing is checked
MOTO = {"stepfunctions": {"execute_state_machine": True}}


@dataclass(frozen=True)
class Run:
    """How an execution ended, and which states it went through (those of branches and iterations included)."""

    arn: str
    status: str
    output: Any
    error: str | None
    cause: str | None
    states: tuple[str, ...]


class Cloud:
    """A running cloud, from `with Cloud() as cloud:` to the end of the block; one at a time in a process.

    `speed` is how many simulated seconds pass in a real one. boto3 clients from `client()` reach the cloud without a
    network; others, in any language, through `endpoint` with the variables of `environment`, within `access`. With
    `state`, a directory that was taken, it has from the first deployment on what an earlier cloud left there
    (Personalize resources and models, S3 objects, DynamoDB items, messages), and keeps its own there while it runs.
    `personalize` is the running Amazon Personalize: its faults, switches, quotas and durations may be changed.
    Without `cpu_shares` a function's time-out does not bound its CPU time.
    """

    def __init__(  # noqa: PLR0913 - independent choices, all but the first by name
        self,
        port: int = 0,
        speed: float = 600,
        directory: Path | None = None,
        *,
        schedules: bool = True,
        state: State | None = None,
        access: Access | None = None,
        cpu_shares: bool = True,
    ) -> None:
        self._port = port
        self.speed = speed
        self._directory = state.engine_directory if state else directory
        self._state = state
        self._schedules = schedules
        self._cpu_shares = cpu_shares
        self._deployment: DeployedApp | None = None
        self._deployer = Deployer(CREDENTIAL, secrets.token_urlsafe(30))
        self._access = access or Access()

    def __enter__(self) -> Self:
        if (other := current_cloud.running()) is not None:
            raise RuntimeError(f"a local cloud is already running in this process, at {other.endpoint}")
        installation.install()
        with contextlib.ExitStack() as undoing:
            self._begin(undoing)
            self._undoing = undoing.pop_all()
        return self

    def _begin(self, undoing: contextlib.ExitStack) -> None:
        application = Guard(DirectCalls(Callers(dispatcher(SERVED), self._deployer)))
        self._endpoint = Endpoint(self._port, application, self._access, self._is_throttled)
        undoing.callback(self._endpoint.stop)
        undoing.enter_context(without_shell_settings())
        directory = self._directory or Path(undoing.enter_context(tempfile.TemporaryDirectory(prefix="local-cloud-")))
        undoing.callback(CLOCK.set_speed, 1)
        CLOCK.set_speed(self.speed)
        undoing.callback(personalize_local.personalize.stop)
        self.personalize = personalize_local.personalize.start(directory)
        undoing.enter_context(mock_aws(config=MOTO))  # type: ignore[call-overload]
        if self._state is not None:
            restore_clock(self._state)
        self._keeping = undoing.enter_context(contextlib.ExitStack())  # ends once nothing changes any more
        handlers = {**self.environment, "AWS_SECRET_ACCESS_KEY": CREDENTIAL}  # no handler is the deployer
        self._current = current_cloud.CurrentCloud(self._endpoint.url, handlers, WorkerPool(share_cpu=self._cpu_shares))
        undoing.callback(current_cloud.leave)
        current_cloud.enter(self._current)
        self._endpoint.start()
        undoing.callback(background.end, self._current)
        background.begin(self._current)
        if self._schedules:
            background.begin_schedules(self._current)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything: executions, schedules, pollers, workers, the server, and what the cloud remembered."""
        self._undoing.close()

    def _is_throttled(self, service: str) -> bool:
        return self.personalize.faults.is_unlucky(service)

    @property
    def endpoint(self) -> str:
        """Return the URL the cloud answers at: `http://127.0.0.1:<port>`."""
        return self._endpoint.url

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that point any AWS SDK or the CLI at this cloud, with the deployer's credentials."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self._deployer.access_key,
            "AWS_SECRET_ACCESS_KEY": self._deployer.secret,
            "AWS_REGION": current_cloud.REGION,
            "AWS_DEFAULT_REGION": current_cloud.REGION,
            **self._access.environment,
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client of this cloud; it works without the network, and only in this process."""
        return _client(service)

    def deploy(self, assembly: Path) -> DeployedApp:
        """Deploy a synthesised app and remember where its parts are."""
        is_first = self._deployment is None
        self._deployment = deploy(assembly, self.client, self.endpoint)
        if self._state is not None and is_first:
            self._keeping.enter_context(kept(self._state))
        return self._deployment

    @property
    def deployment(self) -> DeployedApp:
        """Return what was deployed last."""
        if self._deployment is None:
            raise RuntimeError("nothing is deployed on this cloud yet")
        return self._deployment

    def start(self, machine: str, input: Mapping[str, Any], name: str | None = None) -> str:  # noqa: A002 - AWS's word
        """Start an execution of a machine, given by its file's stem or its ARN; return the execution's ARN."""
        arn = machine if machine.startswith("arn:") else self.deployment.state_machines[machine]
        named = {} if name is None else {"name": name}
        started = self.client("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(input), **named)
        return str(started["executionArn"])

    def run(self, machine: str, input: Mapping[str, Any], timeout_seconds: float = 120) -> Run:  # noqa: A002 - AWS's word
        """Start an execution and wait for its end, for at most so many real seconds."""
        return self.wait(self.start(machine, input), timeout_seconds)

    def wait(self, execution_arn: str, timeout_seconds: float = 120) -> Run:
        """Wait for the end of an execution, for at most so many real seconds."""
        execution = find_execution(execution_arn)
        if not execution.ended.wait(timeout_seconds):
            raise TimeoutError(
                f"{execution_arn} is still running after {timeout_seconds} s, in {_states(execution)[-1:]}"
            )
        output = execution.output if execution.status == "SUCCEEDED" else None
        return Run(execution_arn, execution.status, output, execution.error, execution.cause, _states(execution))

    def quiesce(self, timeout_seconds: float = 120) -> None:
        """Wait until nothing is under way: no execution, no event or asynchronous call, no message for a function."""
        deadline = time.monotonic() + timeout_seconds
        while (under_way := background.under_way()) and time.monotonic() < deadline:
            time.sleep(0.01)
        if under_way:
            raise TimeoutError(f"still under way after {timeout_seconds} s: {', '.join(under_way)}")

    @property
    def lambda_errors(self) -> list[LambdaError]:
        """Return the invocations that ended in an error, oldest first; of very many, the last 10,000."""
        return list(self._current.lambda_errors)

    def notices(self, topic: str | None = None) -> list[Notice]:
        """Return what was published last, oldest first: all of it, or to one topic, given by its name or its ARN."""
        return self._current.notices.of(topic)

    def transitions(self) -> int:
        """Return how many states all executions entered so far; a retry enters its state again."""
        return sum(execution.transitions() for execution in all_executions())

    def worker_pids(self, function_name: str) -> list[int]:
        """Return the ids of the processes that run a function at the moment."""
        return self._current.workers.process_ids(function_name)


def _states(execution: LocalExecution) -> tuple[str, ...]:
    entered = (event.get("stateEnteredEventDetails") for event in execution.events())
    return tuple(details["name"] for details in entered if details)


_making_clients = threading.Lock()


@functools.cache
def _session() -> boto3.Session:
    return boto3.Session(CREDENTIAL, CREDENTIAL, region_name=current_cloud.REGION)


@functools.cache
def _cached_client(service: str) -> Any:
    return _session().client(service)  # type: ignore[call-overload]


def _client(service: str) -> Any:
    with _making_clients:  # sessions are not safe to share while they make clients
        return _cached_client(service)
