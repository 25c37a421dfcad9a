"""Run Amazon Personalize with S3, IAM and a few services more in this process, without the rest of the local cloud.

It is light: nothing of Lambda, Step Functions or CloudFormation is loaded, and moto is left as it was afterwards.
"""

import contextlib
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
from moto import mock_aws

import personalize_local.personalize
from personalize_local.aws.corrections import corrected
from personalize_local.aws.http import request_limits
from personalize_local.aws.http.endpoint import Access, Endpoint
from personalize_local.aws.http.open_services import OpenServices
from personalize_local.aws.iam import managed_policies
from personalize_local.aws.s3 import bucket_policies
from personalize_local.aws.shell_settings import without_shell_settings
from personalize_local.clock import CLOCK
from personalize_local.personalize.protocol.direct_calls import DirectCalls
from personalize_local.personalize.protocol.fault_routes import control, in_force

if TYPE_CHECKING:
    from personalize_local.personalize.resources.service import PersonalizeService
    from personalize_local.state.directory import State

REGION: Final = "us-east-1"
CREDENTIAL: Final = "local"  # any will do: nothing is checked


def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="personalize-local-", ignore_cleanup_errors=True)


class PersonalizeServer:
    """A running Personalize, from `with PersonalizeServer() as server:` to the end of the block; one in a process.

    `speed` is how many simulated seconds pass in a real one. With a `port` (0 for any that is free) it answers over
    HTTP, too, within `access`. With `state`, a directory that was taken, it has what was left there and keeps its own.
    """

    def __init__(
        self,
        speed: float = 1.0,
        directory: Path | None = None,
        *,
        state: "State | None" = None,
        port: int | None = None,
        access: Access | None = None,
    ) -> None:
        self._speed = speed
        self._directory = state.engine_directory if state else directory
        self._state = state
        self._port = port
        self._access = access or Access()
        self._making_clients = threading.Lock()
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undoing:
            self._begin(undoing)
            self._undoing = undoing.pop_all()
        return self

    def _begin(self, undoing: contextlib.ExitStack) -> None:
        self._endpoint: Endpoint | None = None
        if self._port is not None:
            self._endpoint = Endpoint(self._port, DirectCalls(OpenServices()), self._access, self._is_unlucky)
            undoing.callback(self._endpoint.stop)
        undoing.enter_context(without_shell_settings())
        directory = self._directory or Path(undoing.enter_context(_scratch()))
        undoing.callback(CLOCK.set_speed, 1)
        CLOCK.set_speed(self._speed)
        undoing.callback(personalize_local.personalize.stop)
        self.service: PersonalizeService = personalize_local.personalize.start(directory)
        modules = (managed_policies, bucket_policies, request_limits)
        undoing.enter_context(corrected(*(each for module in modules for each in module.CORRECTIONS)))
        undoing.enter_context(mock_aws())
        if self._state is not None:
            self._restore(self._state, undoing)
        if self._endpoint is not None:
            self._endpoint.start()

    def _restore(self, state: "State", undoing: contextlib.ExitStack) -> None:
        from personalize_local.state.moments import kept, restore_clock  # noqa: PLC0415 - loads moto's DynamoDB and SQS

        restore_clock(state)
        undoing.enter_context(kept(state))

    def __exit__(self, *_: object) -> None:
        self._undoing.close()

    def _is_unlucky(self, service: str) -> bool:
        return self.service.faults.is_unlucky(service)

    @property
    def endpoint(self) -> str | None:
        """Return the URL it answers at, if it was given a port."""
        return self._endpoint.url if self._endpoint else None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that let any AWS SDK or the CLI find it; the endpoint only if it has one."""
        found = {"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {}
        region = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        found |= self._access.environment
        return {**found, "AWS_ACCESS_KEY_ID": CREDENTIAL, "AWS_SECRET_ACCESS_KEY": CREDENTIAL, **region}

    def client(self, service: str) -> Any:
        """Return a boto3 client of it, the same one for each service; it works without a network."""
        with self._making_clients:  # sessions are not safe to share while they make clients
            if service not in self._clients:
                session = boto3.Session(CREDENTIAL, CREDENTIAL, region_name=REGION)
                self._clients[service] = session.client(service)  # type: ignore[call-overload] # any service
            return self._clients[service]

    def control(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a POST to /_local-cloud/<action> does, and return what is in force then."""
        control(self.service, action, body)
        return in_force(self.service)
