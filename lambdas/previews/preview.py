"""Say what a run of a request would do, by the steps that the run itself would take, before anything is done."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import load_prices
from lambdas.gateways.cloud_watch import Counts
from lambdas.gateways.event_schedules import EventSchedules
from lambdas.groups.schedule_changes import schedule_changes
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.previews.group_data import GroupData
from lambdas.previews.planned_change import LEAVE, NEVER_YET, REFUSE, ChangePlanner, PlannedChange
from lambdas.previews.unwritten_releases import UnwrittenReleases
from lambdas.releases.judgement import UnknownMetricError
from lambdas.releases.stage_plan import StagePlanner
from lambdas.releases.training_choice import TrainingChoice, choose_training
from lambdas.releases.training_decision import Action
from lambdas.releases.version_decision import TrainingStep, VersionStep, decide_version
from lambdas.requests.existing_schemas import keeping_schemas, schema_fault
from lambdas.requests.plan import Planner
from lambdas.requests.request import InvalidRequestError, Solution
from lambdas.requests.schedules.planned_schedules import planned_schedules

LATER: Final = "the version that will be trained"


@dataclass(frozen=True)
class Preview:
    """A plan of a run, against what is there now."""

    planner: Planner
    personalize: Personalize
    releases: UnwrittenReleases
    now: datetime
    data: GroupData = field(default_factory=GroupData)
    has_objects: Callable[[str], bool] = lambda _: True
    counts: Counts | None = None
    costs: CostEstimator = field(default_factory=lambda: CostEstimator(load_prices()))
    schedules: EventSchedules | None = None

    def changes(self) -> list[PlannedChange]:
        """Return what a run would do, in its order. A run that is refused something in its data trains nothing."""
        data = list(self._import_data())
        if any(change.verb == REFUSE for change in data):
            return data
        return [*data, *(change for solution in self.planner.request.solutions for change in self._solution(solution))]

    @cached_property
    def _changes(self) -> ChangePlanner:
        return ChangePlanner(self.personalize, self.costs, self.now)

    def _import_data(self) -> Iterator[PlannedChange]:
        stage = keeping_schemas(self.planner.import_data(), self.personalize)
        yield self._changes.change(stage["group"])
        for dataset in stage["datasets"]:
            yield self._changes.change(dataset["schema"])
            yield self._dataset(dataset)
            if waiting := self.data.waiting.get(dataset["name"]):
                job, reason = "dataset_import_job", f"{waiting.files} file(s) wait"
                estimate = self.costs.imported(waiting.size_bytes)
                yield PlannedChange("import", job, dataset["name"], reason, (("create", job),), estimate=estimate)
        yield from (self._changes.change(spec) for spec in stage["extras"])
        yield from self._schedule_changes()

    def _schedule_changes(self) -> Iterator[PlannedChange]:
        if self.schedules is not None:
            for one in schedule_changes(self.schedules, self.planner.group, planned_schedules(self.planner)):
                yield PlannedChange(
                    one.verb, "schedule", one.name, one.start.expression if one.start else "not asked for"
                )

    def _dataset(self, planned: Mapping[str, Any]) -> PlannedChange:
        change = self._changes.change(planned["dataset"])
        fault = schema_fault(planned, self.personalize)
        if not fault or ("update", "dataset") not in change.calls:
            return change
        calls = tuple(call for call in change.calls if call[0] == "tag")  # tags come first
        return replace(change, verb=REFUSE, reason=f"the dataset has another schema: {fault}", calls=calls)

    def _solution(self, solution: Solution) -> Iterator[PlannedChange]:
        stage = self.planner.train_solution(solution)
        made = self._changes.change(stage["solution"])
        yield made
        if made.verb == REFUSE:
            return
        choice = self._training(stage)
        yield self._training_change(solution, choice)
        try:
            version = self._version(solution, stage, choice)
        except UnknownMetricError as error:
            yield PlannedChange(REFUSE, "solution_version", solution.name, str(error))
            return
        yield from self._campaigns(solution, version)
        yield from self._batch_jobs(solution, version)

    def _training(self, stage: Mapping[str, Any]) -> TrainingChoice:
        imported = {**self.data.imported, **dict.fromkeys(self.data.waiting, NEVER_YET)}
        asked = {"solution": stage["solution"]["request"], "training": stage["training"]}
        return choose_training(self.personalize, self.counts, asked, imported, self.now)

    def _training_change(self, solution: Solution, choice: TrainingChoice) -> PlannedChange:
        decision, row = choice.decision, RESOURCES["solution_version"]
        reason = "; ".join(decision.reasons)
        if decision.action is not Action.TRAIN:
            return PlannedChange(LEAVE, row.noun, solution.name, reason)
        hours = self._changes.hours(row, {"solutionArn": self.planner.solution_arn(solution)})
        billed = choice.billed_hours or hours
        estimate = self.costs.training(solution.recipe_arn, billed, self.data.interactions)
        reason = f"{decision.mode}: {reason}"
        calls = (("create", row.noun),)
        return PlannedChange("train", row.noun, solution.name, reason, calls, hours, estimate, billed)

    def _version(self, solution: Solution, stage: Mapping[str, Any], choice: TrainingChoice) -> str | None:
        """Return the version that campaigns and batch jobs are given: the one judged, or the one that serves."""
        decision = choice.decision
        if decision.action is Action.NONE:
            return None
        if not choice.is_ready:
            return decision.version_arn or LATER
        step = VersionStep(
            solution=solution.name,
            solutionVersionArn=str(decision.version_arn),
            gates=stage["gates"],
            campaignArns=stage["campaignArns"],
            training=TrainingStep(action=decision.action, reasons=decision.reasons),
            now=self.now.isoformat(),
        )
        served: str | None = decide_version(self.personalize, self.releases, step)["solutionVersionArn"]
        return served

    def _campaigns(self, solution: Solution, version: str | None) -> Iterator[PlannedChange]:
        try:
            plan = self._stage("update_campaign", solution, version)
        except InvalidRequestError as error:
            yield PlannedChange(REFUSE, "campaign", solution.name, "; ".join(one.text for one in error.problems))
            return
        for spec in plan["campaigns"]:
            change = self._changes.change(spec, solution.recipe_arn)
            is_new = spec["request"]["solutionVersionArn"] == LATER and change.calls
            gates = f", if it passes {len(solution.gates)} gate(s)" if is_new and solution.gates else ""
            yield replace(change, reason=f"{change.reason}{gates}")
        if plan["note"] and solution.campaigns:
            yield PlannedChange(LEAVE, "campaign", solution.name, plan["note"])

    def _batch_jobs(self, solution: Solution, version: str | None) -> Iterator[PlannedChange]:
        plan = self._stage("run_batch_inference", solution, version)
        for spec in plan["jobs"]:
            noun, name = spec["type"], spec["request"]["jobName"]
            estimate = self.costs.batch(noun, spec["request"], solution.recipe_arn)
            hours = self._changes.hours(RESOURCES[noun], spec["request"])
            yield PlannedChange("create", noun, name, "every run asks anew", (("create", noun),), hours, estimate)
        if plan["note"] and (solution.batch_inference_jobs or solution.batch_segment_jobs):
            yield PlannedChange(LEAVE, "batch_inference_job", solution.name, plan["note"])

    def _stage(self, machine: str, solution: Solution, version: str | None) -> dict[str, Any]:
        now = self.now.isoformat()
        stages = StagePlanner(self.planner, self.personalize, self.releases, self.has_objects, now)
        return stages.plan(machine, {"run": self.planner.run, "solution": solution.name, "solutionVersionArn": version})
