"""Run a request's plan by the real steps of the handlers against the local service, on a clock that jumps.

What the state machines do between the steps (loop, branch, hand on) is done here in their order; tests/e2e runs the
machines themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lambdas.personalize import removal, resource_steps
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.resource_steps import ResourceStepInput
from lambdas.personalize.resources import ResourceType
from lambdas.requests.existing_schemas import keeping_schemas
from lambdas.requests.plan import AccountContext, Planner
from lambdas.requests.request_reading import parse_request
from personalize_local.clock import CLOCK
from tests.personalize_local.personalize.world import PREFIX, ROLE, World, running

_MOST_STEPS: Final = 60


class RecordingPersonalize(PersonalizeGateway):
    """The gateway, and what it asked the service to change and the service accepted: ``("create", "filter", …)``."""

    def __init__(self, client: Any, arn_prefix: str) -> None:
        super().__init__(client, arn_prefix)
        self.writes: list[tuple[str, str, str]] = []

    def create(self, row: ResourceType, request: Mapping[str, Any]) -> str:
        arn = super().create(row, request)
        self.writes.append(("create", row.noun, arn))
        return arn

    def update(self, row: ResourceType, arn: str, changes: Mapping[str, Any]) -> None:
        super().update(row, arn, changes)
        self.writes.append(("update", row.noun, arn))

    def delete(self, row: ResourceType, arn: str) -> None:
        super().delete(row, arn)
        self.writes.append(("delete", row.noun, arn))

    def start(self, row: ResourceType, arn: str) -> None:
        super().start(row, arn)
        self.writes.append(("start", row.noun, arn))

    def stop(self, row: ResourceType, arn: str) -> None:
        super().stop(row, arn)
        self.writes.append(("stop", row.noun, arn))

    def tag(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        super().tag(arn, tags)
        self.writes.append(("tag", arn.split(":")[5].split("/", maxsplit=1)[0].replace("-", "_"), arn))


class StepRuns:
    """The state machines' order of steps, without the machines."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.personalize = RecordingPersonalize(world.personalize, PREFIX[:-1])
        self.account = AccountContext(PREFIX[:-1], world.bucket, ROLE)

    @property
    def writes(self) -> list[tuple[str, str, str]]:
        """Everything that was changed so far."""
        return self.personalize.writes

    def planner(self, document: Any, run: str = "run-1") -> Planner:
        return Planner(parse_request(document), run, self.account)

    def import_data(self, planner: Planner) -> list[dict[str, Any]]:
        """Do what the machine import_data ensures; return what was found at the end of each, in order."""
        stage = keeping_schemas(planner.import_data(), self.personalize)
        specs = [stage["group"]]
        for dataset in stage["datasets"]:
            specs += [dataset["schema"], dataset["dataset"]]
        return [self.ensure(spec) for spec in [*specs, *stage["extras"]]]

    def ensure(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Take the steps of ensure_resource until it would end; return what it would."""
        began, found = _now(), {}  # type: tuple[datetime, dict[str, Any]]
        for _ in range(_MOST_STEPS):
            found = resource_steps.find(self.personalize, self._input(spec, began, found))
            if found["phase"] in ("READY", "FAILED"):
                return found
            step = self._input(spec, began, found)
            if found["phase"] == "CHANGING":
                self.world.finish(max(1, found["wait_seconds"]))
                continue
            found = _ACTIONS[found["phase"]](self.personalize, step)
            self.world.finish(max(1, found["wait_seconds"]))
        raise TimeoutError(f"{spec} did not come to an end: {found}")

    def _input(self, spec: Mapping[str, Any], began: datetime, found: Mapping[str, Any]) -> ResourceStepInput:
        times = {"now": _now().isoformat(), "run_began": began.isoformat()}
        return ResourceStepInput.of({**times, "input": {**spec, **({"found": found} if found else {})}})


_ACTIONS: Final = {
    "ABSENT": resource_steps.create,
    "OUTDATED": resource_steps.update,
    "REPLACEABLE": removal.delete,
    "STOPPED": resource_steps.start,
    "RUNNING": resource_steps.stop,
}


@contextmanager
def step_runs(directory: Path) -> Iterator[StepRuns]:
    """Run the local service, and give what takes the steps."""
    with running(directory) as world:
        yield StepRuns(world)


def _now() -> datetime:
    return datetime.fromtimestamp(CLOCK.time(), UTC)
