"""Hold a running Personalize in the way a test wants it: clients, faults, a clock to move, a campaign in one line."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from personalize_local.testing.trained_campaign import Interaction, TrainedCampaign, train_campaign

Control = Callable[[str, Mapping[str, Any]], dict[str, Any]]


class RunningService(Protocol):
    """A Personalize that runs, here or in a process of its own."""

    @property
    def endpoint(self) -> str | None:
        """The URL it answers at, if it has one."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let AWS SDKs find it."""

    def client(self, service: str) -> Any:
        """Return a boto3 client of it."""

    def control(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something, and return what is in force."""


class AppliedFault:
    """A fault in force: until the end of its `with` block, until `undo()`, or else until the service ends."""

    def __init__(self, control: Control, action: str, body: Mapping[str, Any]) -> None:
        self._control = control
        self._before = control("clock", {})["faults"]
        control(action, {name: value for name, value in body.items() if value is not None})

    def undo(self) -> None:
        """Put back the faults that there were before."""
        self._control("restore", {"faults": self._before})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


class FaultInjection:
    """The faults one can cause; each method applies one and returns it, to be used as a context manager."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def fail(self, resource_type: str, reason: str, *, name: str | None = None, times: int = 1) -> AppliedFault:
        """Let the next resources of a type, such as `campaign`, end CREATE FAILED with a reason."""
        body = {"resourceType": resource_type, "reason": reason, "name": name, "times": times}
        return AppliedFault(self._control, "fail", body)

    def slow(self, resource_type: str, factor: float, *, name: str | None = None) -> AppliedFault:
        """Let a type take so many times as long."""
        return AppliedFault(self._control, "slow", {"resourceType": resource_type, "factor": factor, "name": name})

    def throttle(self, share: float, *services: str) -> AppliedFault:
        """Refuse a share (0 to 1) of the calls of services (Personalize, if none is named) for coming too fast."""
        return AppliedFault(self._control, "throttle", {"share": share, "services": services or None})

    def fill_quota(self, resource_type: str) -> AppliedFault:
        """Pretend that the quota of a type is used up."""
        return AppliedFault(self._control, "fill-quota", {"resourceType": resource_type})

    def deny_s3(self, prefix: str = "s3://") -> AppliedFault:
        """Refuse the service every object below a location, as a missing bucket policy does."""
        return AppliedFault(self._control, "deny-s3", {"prefix": prefix})


class MovableClock:
    """The service's clock. It runs at a speed, stands, or passes by itself whenever somebody asks for a status."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def now(self) -> datetime:
        """Return the simulated time."""
        return datetime.fromtimestamp(self._control("clock", {})["clock"]["now"], UTC)

    def advance(self, *, seconds: float = 0.0, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0) -> None:
        """Jump ahead."""
        self._control("clock", {"advance": seconds + 60 * (minutes + 60 * (hours + 24 * days))})

    def freeze(self) -> None:
        """Let time stand: what is under way stays so until time is advanced. Work goes on, and so does real time."""
        self._control("clock", {"freeze": True})

    def run(self, speed: float = 1.0) -> None:
        """Let so many simulated seconds pass in a real one."""
        self._control("clock", {"speed": speed})

    def automatic(self) -> None:
        """Let each question about a status make the next change come, so that polling needs no patience."""
        self._control("clock", {"automatic": True})


class LocalPersonalize:
    """A running Personalize, as a test uses it."""

    def __init__(self, running: RunningService) -> None:
        self._running = running
        self.faults = FaultInjection(running.control)
        self.clock = MovableClock(running.control)

    @property
    def endpoint(self) -> str | None:
        """Return the URL it answers at, for programs in other languages; None where it runs in this process."""
        return self._running.endpoint

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that let any AWS SDK or the CLI find it."""
        return self._running.environment

    def client(self, service: str = "personalize") -> Any:
        """Return a boto3 client: of `personalize`, `personalize-runtime`, `…-events`, `s3`, `iam` and so on."""
        return self._running.client(service)

    def settle(self, timeout_seconds: float = 60) -> None:
        """Let time pass until nothing is under way. Raises TimeoutError when work takes longer than that, really."""
        self._running.control("settle", {"seconds": timeout_seconds})

    def switch(self, name: str, value: object) -> None:
        """Turn a switch of docs/fidelity.md, such as `list_order`."""
        self._running.control("switch", {"name": name, "value": value})

    def set_quota(self, resource_type: str, limit: int) -> None:
        """Set the limit of a quota."""
        self._running.control("quota", {"resourceType": resource_type, "limit": limit})

    def set_duration(self, what: str, seconds: float) -> None:
        """Set how long something takes, such as `create campaign`, in simulated seconds."""
        self._running.control("duration", {"what": what, "seconds": seconds})

    def trained_campaign(
        self,
        recipe: str = "aws-user-personalization-v2",
        interactions: Sequence[Interaction] | None = None,
        *,
        name: str = "example",
    ) -> TrainedCampaign:
        """Import interactions (`user, item, seconds since 1970`; else an example), train, and deploy a campaign."""
        return train_campaign(self.client, self.settle, recipe=recipe, interactions=interactions, name=name)


@contextlib.contextmanager
def running_personalize(
    where: Literal["process", "child"] = "process",
    *,
    speed: float = 1.0,
    state_directory: Path | None = None,
    automatic: bool = False,
) -> Iterator[LocalPersonalize]:
    """Run a fresh Personalize, in this process or in a child process, until the block ends.

    With `state_directory` it has what another one has left there, and leaves its own. `automatic` is for the clock.
    """
    with contextlib.ExitStack() as stack:
        running: RunningService
        if where == "child":
            from personalize_local.testing.server_process import ServerProcess  # noqa: PLC0415 - each loads its own

            running = stack.enter_context(ServerProcess(speed, state_directory))
        else:
            from personalize_local.personalize_server import PersonalizeServer  # noqa: PLC0415 - loads moto

            state = None
            if state_directory is not None:
                from personalize_local.state.directory import taken  # noqa: PLC0415 - as above

                state = stack.enter_context(taken(state_directory))
            running = stack.enter_context(PersonalizeServer(speed, state=state))
        local = LocalPersonalize(running)
        if automatic:
            local.clock.automatic()
        yield local
