"""Add to an exported request what only the group's request in the bucket knows: the service does not keep it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from control.group_export import GroupExport
from lambdas.bucket_layout import request_key
from lambdas.gateways.event_schedules import EventSchedules
from lambdas.gateways.s3 import Objects
from lambdas.groups.schedule_changes import schedule_changes
from lambdas.personalize.account_context import AccountContext
from lambdas.requests.group_policies import group_request
from lambdas.requests.plan import Planner
from lambdas.requests.request import Request
from lambdas.requests.schedules.planned_schedules import names_begin_with, planned_schedules

_OF_THE_GROUP: Final = (
    "uploads", "retrain", "schedules", "budget", "idle", "freshnessHours", "trainAfterPutEvents", "onMissingData",
)  # fmt: skip
_OF_A_SOLUTION: Final = (
    "trainingMode", "fullEveryDays", "versionTags", "gates", "batchInferenceJobs", "batchSegmentJobs",
)  # fmt: skip
_CHANGES: Final = {
    "create": "no run has made it yet: a run of this makes it",
    "update": "it is not as the request has it: a run of this changes it",
    "delete": "the request in the bucket does not have it: a run of this deletes it",
}


def add_requested(exported: GroupExport, account: AccountContext, objects: Objects, schedules: EventSchedules) -> None:
    """Add a group's schedules, policies and batch templates, and remarks where a run would change its schedules."""
    name = exported.request["datasetGroup"]["name"]
    request = group_request(objects, name)
    if request is None:
        exported.remarks.extend(_unknown(name, schedules))
        return
    written = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
    exported.request.update(_some(written, _OF_THE_GROUP))
    _add_by_name(exported.request.get("solutions", ()), written.get("solutions", ()))
    for dataset, section in exported.request.get("datasets", {}).items():
        section.update(_some(written["datasets"].get(dataset, {}), ("importJob",)))
    _leave_to_timetable(exported.request.get("recommenders", ()), request)
    exported.remarks.extend(_changes(Planner(request, "export", account), schedules))
    exported.remarks.extend(_jobs(exported.request.get("solutions", ())))


def _add_by_name(sections: Sequence[dict[str, Any]], written: Sequence[Mapping[str, Any]]) -> None:
    by_name = {section["name"]: section for section in written}
    for section in sections:
        section.update(_some(by_name.get(section["name"], {}), _OF_A_SOLUTION))


def _leave_to_timetable(recommenders: Sequence[dict[str, Any]], request: Request) -> None:
    """Take out whether a recommender is active where schedules start and stop it: a request may not have both."""
    timetabled = {schedule.recommender for schedule in request.schedules}
    for section in recommenders:
        if section["name"] in timetabled:
            section.pop("active", None)


def _changes(planner: Planner, schedules: EventSchedules) -> Iterator[str]:
    for change in schedule_changes(schedules, planner.group, planned_schedules(planner)):
        if change.verb in _CHANGES:
            yield f"schedule {change.name}: {_CHANGES[change.verb]}"


def _jobs(solutions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for solution in solutions:
        for job in (*solution.get("batchInferenceJobs", ()), *solution.get("batchSegmentJobs", ())):
            yield f"batch template {job['template']}: a run of this runs its job anew, as one of the request does"


def _unknown(name: str, schedules: EventSchedules) -> Iterator[str]:
    for schedule in schedules.names(names_begin_with(name)):
        key = request_key(name)
        yield f"schedule {schedule} is left out, and a run of this deletes it: no valid {key} in the bucket"


def _some(written: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: written[key] for key in keys if key in written}
