"""An export with what only the group's request knows: running it changes no schedule either."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control.group_export import GroupExport, export_group
from control.requested_parts import add_requested
from lambdas.bucket_layout import request_key
from lambdas.gateways.event_schedules import ScheduledStart
from lambdas.groups.schedule_changes import apply, schedule_changes
from lambdas.requests.plan_check import request_problems
from lambdas.requests.schedules.planned_schedules import planned_schedules
from tests.control.test_group_export import HANDMADE, by_hand
from tests.lambdas.gateways.memory_objects import MemoryObjects
from tests.lambdas.requests.step_runs import StepRuns, step_runs

GROUPS = ("serving", "video-stopped")
POLICIES: dict[str, Any] = {
    "uploads": {"badRows": "DROP"},
    "retrain": {"rowsSince": 5000, "notBefore": "2030-01-01T00:00:00Z"},
    "budget": {"trainingHoursPerMonth": 40},
    "idle": None,
    "freshnessHours": 48.0,
    "trainAfterPutEvents": 500,
    "onMissingData": "FAIL",
}
NIGHTLY = {"name": "nightly", "scheduleExpression": "cron(0 3 * * ? *)", "action": "TRAIN", "train": "ALWAYS"}
BATCH = {"name": "mails", "scheduleExpression": "rate(7 days)", "action": "BATCH", "template": "mails"}
MORNING = {
    "name": "morning",
    "scheduleExpression": "cron(0 6 * * ? *)",
    "scheduleExpressionTimezone": "Europe/Berlin",
    "action": "START",
    "recommender": "video-stopped-aws-vod-most-popular",
}
OF_A_SOLUTION: dict[str, Any] = {
    "trainingMode": "UPDATE",
    "fullEveryDays": 7.0,
    "gates": [{"metric": "coverage", "minimum": 0.0}],
    "batchInferenceJobs": [{"template": "mails", "numResults": 10}],
}


class MemorySchedules:
    """A stage's schedules, by name."""

    def __init__(self) -> None:
        self._starts: dict[str, ScheduledStart] = {}

    def names(self, beginning: str) -> list[str]:
        return [name for name in self._starts if name.startswith(beginning)]

    def is_as(self, name: str, start: ScheduledStart) -> bool:
        return self._starts[name] == start

    def create(self, name: str, start: ScheduledStart) -> None:
        self._starts[name] = start

    def update(self, name: str, start: ScheduledStart) -> None:
        self._starts[name] = start

    def delete(self, name: str) -> None:
        del self._starts[name]


class Stage:
    """A group made by hand, with a request in the bucket and schedules."""

    def __init__(self, runs: StepRuns, group: str) -> None:
        self.runs, self.group = runs, group
        self.objects, self.schedules = MemoryObjects(runs.world.bucket), MemorySchedules()
        by_hand(runs, group, HANDMADE[group])

    def export(self) -> GroupExport:
        exported = export_group(self.runs.personalize, self.group)
        add_requested(exported, self.runs.account, self.objects, self.schedules)
        return exported

    def put(self, document: Any) -> None:
        self.objects.write(request_key(self.group), json.dumps(document).encode(), "application/json")

    def run(self, document: Any) -> None:
        apply(self.schedules, self.group, planned_schedules(self.runs.planner(document)))

    def verbs(self, document: Any) -> set[str]:
        planned = planned_schedules(self.runs.planner(document))
        return {change.verb for change in schedule_changes(self.schedules, self.group, planned)}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


def requested(stage: Stage) -> dict[str, Any]:
    """Return a request for what the group has, with everything that only a request knows."""
    bare: dict[str, Any] = export_group(stage.runs.personalize, stage.group).request
    if stage.group == "serving":
        first, *rest = bare["solutions"]
        bare["datasets"]["interactions"]["importJob"] = {"publishAttributionMetricsToS3": False}
        return {**bare, **POLICIES, "solutions": [{**first, **OF_A_SOLUTION}, *rest], "schedules": [NIGHTLY, BATCH]}
    for section in bare["recommenders"]:
        section.pop("active", None)
    bare["recommenders"][1]["active"] = False
    return {**bare, **POLICIES, "schedules": [MORNING]}


@pytest.mark.parametrize("group", GROUPS)
def test_running_an_export_changes_no_schedule_and_keeps_every_policy(runs: StepRuns, group: str) -> None:
    stage = Stage(runs, group)
    request = requested(stage)
    stage.put(request)
    stage.run(request)
    exported = stage.export()
    assert exported.request == request
    batch = ["batch template mails: a run of this runs its job anew, as one of the request does"]
    assert exported.remarks == (batch if group == "serving" else [])
    planner = runs.planner(json.loads(json.dumps(exported.request)))
    assert request_problems(planner, runs.personalize) == []
    assert stage.verbs(exported.request) == {"leave"}


def test_a_schedule_that_a_run_would_change_is_told(runs: StepRuns) -> None:
    stage = Stage(runs, "serving")
    request = requested(stage)
    stage.run({**request, "schedules": [NIGHTLY, {**BATCH, "name": "gone"}]})
    later = {**NIGHTLY, "scheduleExpression": "cron(0 4 * * ? *)"}
    stage.put({**request, "schedules": [later, BATCH]})
    exported = stage.export()
    assert stage.verbs(exported.request) == {"create", "update", "delete"}
    told = [remark.partition(": ")[2] for remark in exported.remarks if remark.startswith("schedule")]
    assert told == [
        "it is not as the request has it: a run of this changes it",
        "no run has made it yet: a run of this makes it",
        "the request in the bucket does not have it: a run of this deletes it",
    ]


@pytest.mark.parametrize("content", [None, {"nonsense": 1}])
def test_without_a_valid_request_in_the_bucket_the_schedules_left_out_are_told(runs: StepRuns, content: Any) -> None:
    stage = Stage(runs, "serving")
    stage.run(requested(stage))
    if content is not None:
        stage.put(content)
    exported = stage.export()
    assert exported.request == export_group(runs.personalize, "serving").request
    assert len(exported.remarks) == 2
    assert all("no valid requests/serving.json in the bucket" in remark for remark in exported.remarks)
