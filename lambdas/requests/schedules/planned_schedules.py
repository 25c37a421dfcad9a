"""Expand a request's schedules to what EventBridge Scheduler is told, and find those that could do nothing."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from lambdas.bucket_layout import request_key
from lambdas.names import digest, ending_in
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.parameters import Problem
from lambdas.requests.plan import Planner, batch_jobs
from lambdas.requests.request import InvalidRequestError, Request
from lambdas.requests.schedules.schedule import Schedule

PlannedSchedule = dict[str, Any]  # {"name", "action", "expression", "timezone", "machine", "input"}

_GROUP_CHARACTERS: Final = 20
_LONGEST_NAME: Final = 64  # the service's limit for the name of a schedule
_MACHINES: Final = {
    "IMPORT": "import_data",
    "TRAIN": "pipeline",
    "BATCH": "run_batch_inference",
    "START": "ensure_resource",
    "STOP": "ensure_resource",
}


def names_begin_with(group: str) -> str:
    """Return what the names of a group's schedules begin with, and no other group's, however long its name."""
    return f"{group[:_GROUP_CHARACTERS]}.{digest(group, 8)}."


def planned_schedules(planner: Planner) -> list[PlannedSchedule]:
    """Return a request's schedules, each with the name it has in its stage, and what it starts."""
    return [
        {
            "name": _name(planner.group, schedule.name),
            "action": schedule.action,
            "expression": schedule.schedule_expression,
            "timezone": schedule.schedule_expression_timezone,
            "machine": _MACHINES[schedule.action],
            "input": _input(planner, schedule),
        }
        for schedule in planner.request.schedules
    ]


def _name(group: str, name: str) -> str:
    beginning = names_begin_with(group)
    longest = _LONGEST_NAME - len(beginning)
    return beginning + (name if len(name) <= longest else ending_in(name, f"-{digest(name, 8)}", longest))


def _input(planner: Planner, schedule: Schedule) -> dict[str, Any]:
    if schedule.recommender is not None:
        # Named only: one that is gone is not made again by its timetable.
        request = {"name": _recommender(planner, schedule.recommender)}
        return {"type": "recommender", "request": request, "active": schedule.action == "START"}
    options = schedule.model_dump(by_alias=True, include={"solution", "training_mode", "train", "template"})
    told = {key: value for key, value in options.items() if value is not None}
    return {"datasetGroup": planner.request.dataset_group.name, "schedule": schedule.name, **told}


def _recommender(planner: Planner, name: str) -> str:
    """Return the name that a recommender of the request has in the service."""
    sections = [wanted for wanted in planner.request.recommenders if wanted.name == name]
    return str(next((extra.spec["name"] for extra in planner.extras() if extra.section in sections), name))


def check_source(request: Request, read_text: Callable[[str], str | None]) -> None:
    """Raise InvalidRequestError if schedules would start runs of a request that the bucket does not have."""
    key = request_key(request.dataset_group.name)
    if request.schedules and read_text(key) is None:
        text = f"what they start reads {key}, which the bucket does not have: upload the request there"
        raise InvalidRequestError([Problem("$.schedules", text)])


def check_scheduled(planner: Planner, personalize: Personalize, name: str) -> None:
    """Raise InvalidRequestError if a schedule starts what nobody wants any more: it is not to bring a group back."""
    if name not in {schedule.name for schedule in planner.request.schedules}:
        text = f"the request has no schedule {name!r} any more; the next run of the request deletes it"
        raise InvalidRequestError([Problem("$.schedule", text)])
    row = RESOURCES["dataset_group"]
    arn = row.arn(personalize.arn_prefix, planner.import_data()["group"]["request"])
    if personalize.describe(row, str(arn)) is None:
        text = f"there is no dataset group {arn}: run `pipeline` to make it again, or `teardown` to end its schedules"
        raise InvalidRequestError([Problem("$.schedule", text)])


def schedule_problems(request: Request) -> Iterator[Problem]:
    """Yield what schedules name and the request does not have, and those that would only meet another's run."""
    known = {
        "solution": {solution.name for solution in request.solutions},
        "template": {job.template for solution in request.solutions for _, job in batch_jobs(solution)},
        "recommender": {recommender.name for recommender in request.recommenders},
    }
    moments: dict[tuple[str, str], str] = {}
    for position, schedule in enumerate(request.schedules):
        path = f"$.schedules[{position}]"
        for key, names in known.items():
            wanted = getattr(schedule, key)
            if wanted is not None and wanted not in names:
                there = ", ".join(sorted(names)) or "none"
                yield Problem(f"{path}.{key}", f"the request has no {key} {wanted!r}; it has: {there}")
        if schedule.action != "TRAIN":
            continue
        when = (schedule.schedule_expression, schedule.schedule_expression_timezone)
        if (other := moments.setdefault(when, schedule.name)) != schedule.name:
            text = f"is due whenever {other!r} is, and a group has one run at a time: the later one would do nothing"
            yield Problem(path, f"{text}; give it another time, or one schedule without a solution for all")
    yield from _switch_problems(request)


def _switch_problems(request: Request) -> Iterator[Problem]:
    timetabled = {schedule.recommender for schedule in request.schedules}
    for position, recommender in enumerate(request.recommenders):
        if not recommender.active and recommender.name in timetabled:
            text = "schedules start and stop this recommender: take it out of the request"
            yield Problem(f"$.recommenders[{position}].active", text)
