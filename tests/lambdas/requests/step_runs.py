"""Run a request's plan by the real steps of the handlers against the local service, on a clock that jumps.

What the state machines do between the steps (loop, branch, hand on) is done here in their order; tests/e2e runs the
machines themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.personalize import removal, resource_steps
from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.resource_steps import ResourceStepInput
from lambdas.personalize.resources import ResourceType
from lambdas.previews.preview import Preview
from lambdas.previews.unwritten_releases import UnwrittenReleases
from lambdas.releases.judgement import UnknownMetricError
from lambdas.releases.releases import Releases
from lambdas.releases.stage_plan import StagePlanner
from lambdas.releases.trained_versions import versions_of
from lambdas.releases.training_choice import choose_training
from lambdas.releases.training_decision import Action
from lambdas.releases.version_decision import TrainingStep, VersionStep, decide_version
from lambdas.requests.existing_schemas import keeping_schemas
from lambdas.requests.plan import Planner
from lambdas.requests.request import InvalidRequestError, Solution
from lambdas.requests.request_reading import parse_request
from personalize_local.clock import CLOCK
from tests.lambdas.gateways.memory_table import MemoryTable
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
        self.table = MemoryTable()

    @property
    def writes(self) -> list[tuple[str, str, str]]:
        """Everything that was changed so far."""
        return self.personalize.writes

    @property
    def now(self) -> datetime:
        """The simulated time."""
        return _now()

    def preview(self, planner: Planner) -> Preview:
        """Return the preview of a run, as its first state makes it."""
        return Preview(planner, self.personalize, UnwrittenReleases(self.table, planner.group), self.now)

    def planner(self, document: Any, run: str = "run-1") -> Planner:
        return Planner(parse_request(document), run, self.account)

    def version_arns(self, solution_arn: str) -> list[str]:
        """Return the versions of a solution that may be named in orders."""
        return [str(one["solutionVersionArn"]) for one in versions_of(self.personalize, solution_arn)]

    def import_data(self, planner: Planner) -> list[dict[str, Any]]:
        """Do what the machine import_data ensures; return what was found at the end of each, in order."""
        stage = keeping_schemas(planner.import_data(), self.personalize)
        specs = [stage["group"]]
        for dataset in stage["datasets"]:
            specs += [dataset["schema"], dataset["dataset"]]
        return [self.ensure(spec) for spec in [*specs, *stage["extras"]]]

    def run(self, planner: Planner, imported: Mapping[str, datetime] | None = None) -> None:
        """Do what the machine pipeline does, up to the campaigns; failures end it where they would end the machine."""
        if all(list(self._import_each(planner))):
            for solution in planner.request.solutions:
                self._build(planner, solution, imported or {})

    def _import_each(self, planner: Planner) -> Iterator[bool]:
        """Ensure each part for itself, as the Maps do; say whether it came to be."""
        stage = keeping_schemas(planner.import_data(), self.personalize)
        yield self._is_ensured(stage["group"])
        for dataset in stage["datasets"]:
            yield self._is_ensured(dataset["schema"]) and self._is_ensured(dataset["dataset"])
        self._fill(str(stage["group"]["request"]["name"]))
        outcomes = [self._is_ensured(spec) for spec in stage["extras"]]
        yield all(outcomes)

    def _fill(self, group: str) -> None:
        """Import interactions, once: in the machine the uploads are imported here."""
        arn = f"{PREFIX}dataset/{group}/INTERACTIONS"
        jobs = self.world.personalize.list_dataset_import_jobs(datasetArn=arn)["datasetImportJobs"]
        if not jobs:
            self.world.make_import(arn, f"{group}-import")

    def _is_ensured(self, spec: Mapping[str, Any]) -> bool:
        try:
            return bool(self.ensure(spec)["phase"] == "READY")
        except ClientError:
            return False

    def _build(self, planner: Planner, solution: Solution, imported: Mapping[str, datetime]) -> None:
        stage = planner.train_solution(solution)
        if not self._is_ensured(stage["solution"]):
            return
        asked = {"solution": stage["solution"]["request"], "training": stage["training"]}
        decision = choose_training(self.personalize, None, asked, imported, _now()).decision
        serve = None
        if decision.action is not Action.NONE:
            new = {"solutionArn": planner.solution_arn(solution), "name": planner.run, "trainingMode": decision.mode}
            named = {"solutionVersionArn": decision.version_arn}
            version = named if decision.version_arn else {**new, **stage["versionOptions"]}
            found = self.ensure({"type": "solution_version", "request": version})
            if found["phase"] != "READY":
                return
            training = TrainingStep(action=decision.action, reasons=decision.reasons)
            try:
                serve = self._judge(planner, stage, found["arn"], training)
            except UnknownMetricError:
                return
        self.update_campaign(planner, solution, {"run": planner.run, "solutionVersionArn": serve})

    def _judge(self, planner: Planner, stage: Mapping[str, Any], arn: str, training: TrainingStep) -> str | None:
        step = VersionStep(
            solution=stage["solution"]["request"]["name"],
            solutionVersionArn=arn,
            gates=stage["gates"],
            campaignArns=stage["campaignArns"],
            training=training,
            now=_now().isoformat(),
        )
        answer = decide_version(self.personalize, Releases(self.table, planner.group), step)
        return str(answer["solutionVersionArn"]) if answer["solutionVersionArn"] else None

    def update_campaign(self, planner: Planner, solution: Solution, given: Mapping[str, Any]) -> bool:
        """Do what the machine update_campaign does; say whether it was refused nothing."""
        releases = Releases(self.table, planner.group)
        stages = StagePlanner(planner, self.personalize, releases, lambda _: True, _now().isoformat())
        try:
            plan = stages.plan("update_campaign", {"solution": solution.name, **given})
        except InvalidRequestError:
            return False
        for spec in plan["campaigns"]:
            if self._is_ensured(spec):
                request = spec["request"]
                releases.note_serving(request["name"], request["solutionVersionArn"], _now().isoformat())
        return True

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
