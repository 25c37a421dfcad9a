"""Say what a run of a request would do, by the steps that the run itself would take, before anything is done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from lambdas.gateways.cloud_watch import Counts
from lambdas.gateways.event_schedules import EventSchedules
from lambdas.groups.schedule_changes import schedule_changes
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Desired, Phase, changes, observe
from lambdas.personalize.resource_steps import with_tags
from lambdas.personalize.resources import HOUR, QUICK, RESOURCES, ResourceType
from lambdas.personalize.wait_times import expect
from lambdas.releases.stage_plan import input_folder
from lambdas.releases.trained_versions import comparable_versions, put_events_since
from lambdas.releases.training_decision import Action, NewData, TrainingDecision, TrainingPolicy, decide_training
from lambdas.requests.existing_schemas import keeping_schemas, schema_fault
from lambdas.requests.plan import Planner, ResourceSpec
from lambdas.requests.planned_schedules import planned_schedules
from lambdas.requests.recipe_facts import can_update
from lambdas.requests.request import Solution

LATER: Final = "the version that will be trained"
# No failure that is there now is the run's own, and what waits is imported after all that was; whatever a clock says,
# for a local cloud's goes its own way.
_NEVER_YET: Final = datetime.max.replace(tzinfo=UTC)
_LEAVE: Final = "leave"
_SWITCHED: Final = {Phase.STOPPED: ("start", "ACTIVE"), Phase.RUNNING: ("stop", "INACTIVE")}
_OUTCOMES: Final[Mapping[Phase, tuple[str, tuple[str, ...]]]] = {
    Phase.ABSENT: ("create", ("create",)),
    Phase.REPLACEABLE: ("replace", ("delete", "create")),
    Phase.CHANGING: ("wait", ()),
    Phase.FAILED: ("refuse", ()),
    Phase.READY: (_LEAVE, ()),
}


@dataclass(frozen=True)
class PlannedChange:
    """What becomes of one resource, why, and the calls that it takes: ``("create", "filter")``."""

    verb: str  # create, update, replace, start, stop, train, import, delete, wait, refuse or leave
    noun: str
    name: str
    reason: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    hours: float = 0  # that it is expected to take: as long as earlier ones did, or typically does; quick ones count 0


@dataclass(frozen=True)
class Preview:
    """A plan of a run, against what is there now; `imported` says when each dataset last was, `waiting` what waits."""

    planner: Planner
    personalize: Personalize
    now: datetime
    imported: Mapping[str, datetime] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)  # files, by dataset
    has_objects: Callable[[str], bool] = lambda _: True
    counts: Counts | None = None
    schedules: EventSchedules | None = None

    def changes(self) -> list[PlannedChange]:
        """Return what a run would do, in its order. A run that is refused something in its data trains nothing."""
        data = list(self._import_data())
        if any(change.verb == "refuse" for change in data):
            return data
        return [*data, *(change for solution in self.planner.request.solutions for change in self._solution(solution))]

    def _import_data(self) -> Iterator[PlannedChange]:
        stage = keeping_schemas(self.planner.import_data(), self.personalize)
        yield self.change(stage["group"])
        for dataset in stage["datasets"]:
            yield self.change(dataset["schema"])
            yield self._dataset(dataset)
            if files := self.waiting.get(dataset["name"], 0):
                job = "dataset_import_job"
                yield PlannedChange("import", job, dataset["name"], f"{files} file(s) wait", (("create", job),))
        yield from (self.change(spec) for spec in stage["extras"])
        if self.schedules is not None:
            planned = planned_schedules(self.planner)
            for one in schedule_changes(self.schedules, self.planner.group, planned):
                yield PlannedChange(
                    one.verb, "schedule", one.name, one.start.expression if one.start else "not asked for"
                )

    def _dataset(self, planned: Mapping[str, Any]) -> PlannedChange:
        change = self.change(planned["dataset"])
        fault = schema_fault(planned, self.personalize)
        if not fault or ("update", "dataset") not in change.calls:
            return change
        calls = tuple(call for call in change.calls if call[0] == "tag")  # tags come first
        return replace(change, verb="refuse", reason=f"the dataset has another schema: {fault}", calls=calls)

    def _solution(self, solution: Solution) -> Iterator[PlannedChange]:
        stage = self.planner.train_solution(solution)
        made = self.change(stage["solution"])
        yield made
        if made.verb == "refuse":
            return
        decision = self._training(stage)
        if decision.action is Action.NONE:
            yield PlannedChange(_LEAVE, "solution_version", solution.name, "; ".join(decision.reasons))
            return
        yield self._training_change(solution, decision)
        version = decision.version_arn or LATER
        gates = (
            f", if it passes {len(solution.gates)} gate(s)"
            if decision.action is Action.TRAIN and solution.gates
            else ""
        )
        for spec in self.planner.update_campaign(solution, version)["campaigns"]:
            change = self.change(spec)
            yield replace(change, reason=f"{change.reason}{gates}") if change.verb != _LEAVE else change
        for spec in self.planner.run_batch_inference(solution, version)["jobs"]:
            yield self._batch_job(spec)

    def _training(self, stage: Mapping[str, Any]) -> TrainingDecision:
        wanted = stage["solution"]["request"]
        arn = str(RESOURCES["solution"].arn(self.personalize.arn_prefix, wanted))
        versions = comparable_versions(self.personalize, arn, wanted)
        policy = TrainingPolicy(**stage["training"], can_update=can_update(wanted.get("recipeArn")))
        imported = {**self.imported, **dict.fromkeys(self.waiting, _NEVER_YET)}
        group_arn, counts = wanted["datasetGroupArn"], self.counts
        streamed = put_events_since(counts, policy, versions, group_arn, self.now) if counts else 0
        return decide_training(policy, versions, NewData(imported, streamed), self.now)

    def _training_change(self, solution: Solution, decision: TrainingDecision) -> PlannedChange:
        reason, row = "; ".join(decision.reasons), RESOURCES["solution_version"]
        if decision.action is not Action.TRAIN:
            return PlannedChange(_LEAVE, row.noun, solution.name, reason)
        hours = self._hours(row, {"solutionArn": self.planner.solution_arn(solution)})
        calls = (("create", row.noun),)
        return PlannedChange("train", row.noun, solution.name, f"{decision.mode}: {reason}", calls, hours)

    def _batch_job(self, spec: ResourceSpec) -> PlannedChange:
        name, folder = spec["request"]["jobName"], input_folder(spec, self.planner)
        if folder and not self.has_objects(folder):
            return PlannedChange(_LEAVE, spec["type"], name, f"no input yet below {folder}")
        return PlannedChange("create", spec["type"], name, "every run asks anew", (("create", spec["type"]),))

    def change(self, spec: ResourceSpec) -> PlannedChange:
        """Return what becomes of one resource."""
        row, request = RESOURCES[spec["type"]], spec["request"]
        desired = Desired(request, spec.get("replace", False), spec.get("active", True))
        described = self._described(row, request)
        name = str(request.get(row.name_key) or str(request.get(row.arn_key, "")).rpartition("/")[2])
        verb, reason, calls = self._next(row, desired, described)
        return PlannedChange(verb, row.noun, name, reason, tuple(calls), self._hours(row, request) if calls else 0)

    def _hours(self, row: ResourceType, request: Mapping[str, Any]) -> float:
        if row.cadence is QUICK:
            return 0
        errors = self.personalize.errors
        try:
            durations = self.personalize.durations(row, request)
        except (errors.ResourceNotFoundException, errors.InvalidInputException):
            durations = ()  # of a parent that is made by this very run
        return expect(row.cadence, durations).seconds / HOUR

    def _next(
        self, row: ResourceType, desired: Desired, described: Mapping[str, Any] | None
    ) -> tuple[str, str, list[tuple[str, str]]]:
        observation, noun = observe(row, desired, described, _NEVER_YET), row.noun
        if observation.phase is Phase.OUTDATED:
            return _update(row, desired.request, described or {})
        if observation.phase in _SWITCHED:
            verb, status = _SWITCHED[observation.phase]
            _, reason, calls = self._next(row, desired, {**(described or {}), "status": status})
            return verb, f"it is {observation.status}; {reason}".rstrip("; "), [(verb, noun), *calls]
        verb, verbs = _OUTCOMES[observation.phase]
        reason = observation.reason or ("" if verb == _LEAVE else f"it is {observation.status or 'not there'}")
        return verb, reason, [(each, noun) for each in verbs]

    def _described(self, row: ResourceType, request: Mapping[str, Any]) -> dict[str, Any] | None:
        errors = self.personalize.errors
        try:
            described = self.personalize.find(row, request, self.now)
        except (errors.ResourceNotFoundException, errors.InvalidInputException):
            return None  # its parent is made by this very run
        return with_tags(self.personalize, row, request, described)


def predicted_calls(planned: Sequence[PlannedChange]) -> list[tuple[str, str]]:
    """Return the calls that change something, in the order of the run."""
    return [call for change in planned for call in change.calls]


def _update(
    row: ResourceType, request: Mapping[str, Any], described: Mapping[str, Any]
) -> tuple[str, str, list[tuple[str, str]]]:
    differing = changes(row, request, described)
    tags, reason = differing.pop("tags", None), ", ".join(f"{key} differs" for key in changes(row, request, described))
    calls = [("tag", row.noun)] if tags else []
    return "update", reason, [*calls, *([("update", row.noun)] if differing else [])]
