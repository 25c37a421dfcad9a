"""Add to EventBridge Scheduler what it refuses and when it is due; moto stores any schedule and fires none."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import (
    EventBridgeSchedulerBackend,
    Schedule,
    ScheduleGroup,
    scheduler_backends,
)
from moto.scheduler.responses import EventBridgeSchedulerResponse

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.events.schedule_invocations import Invocation, check_target
from personalize_local.aws.events.schedule_times import Timing
from personalize_local.clock import CLOCK

LONGEST_WINDOW_MINUTES = 1440


class Scheduler(EventBridgeSchedulerBackend):
    """moto's store of schedules, with the service's checks, and with the time at which each is due next."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()

    @property
    def _url_module(self) -> Any:
        from moto.scheduler import urls  # noqa: PLC0415 - moto looks for it beside the backend's class

        return urls

    def create_schedule(self, **settings: Any) -> Schedule:  # type: ignore[override]
        """Create a schedule that is due from now on."""
        with self.lock:
            self.get_schedule_group(settings["group_name"])
            timing = _checked(settings)
            schedule = super().create_schedule(**settings)
            schedule.creation_date = CLOCK.time()
            _set(schedule, timing, timing.first())
            return schedule

    def update_schedule(self, *, action_after_completion: str | None = None, **settings: Any) -> Schedule:  # type: ignore[override]
        """Replace all settings of a schedule."""
        with self.lock:
            self.get_schedule(settings["group_name"], settings["name"])
            timing = _checked(settings)
            schedule = super().update_schedule(**settings)
            schedule.state = settings["state"] or "ENABLED"
            schedule.action_after_completion = action_after_completion
            _set(schedule, timing, timing.first() if timing.start is not None else timing.after(CLOCK.now()))
            return schedule

    def create_schedule_group(self, name: str, tags: list[dict[str, str]]) -> ScheduleGroup:
        """Create a group, unless there is one of that name."""
        if name in self.schedule_groups:
            raise Conflict(f"Schedule group {name} already exists.")
        group = super().create_schedule_group(name, tags)
        group.created_on = group.last_modified = CLOCK.time()
        return group

    def delete_schedule_group(self, name: str | None) -> None:
        """Delete a group with its schedules; the default group stays."""
        if name in {None, "default"}:
            raise ValidationException("The default schedule group cannot be deleted.")
        with self.lock:
            self.get_schedule_group(name)
            super().delete_schedule_group(name)

    def fire(self, now: datetime) -> None:
        """Begin an invocation of every schedule that is due: once for each, however long it has been due."""
        with self.lock:
            for schedule in list(self._due(now)):
                due: datetime = schedule.next_due
                schedule.next_due = schedule.timing.after(now)
                invocation = Invocation.of(self, schedule, due)
                current_cloud.current().task_scheduler.add(invocation.attempt, invocation.delay_seconds)

    def _due(self, now: datetime) -> Iterator[Any]:
        for group in self.schedule_groups.values():
            for schedule in group.schedules.values():
                due: datetime | None = getattr(schedule, "next_due", None)
                if schedule.state == "ENABLED" and due is not None and due <= now:
                    yield schedule

    def has(self, schedule: Schedule) -> bool:
        """Tell whether a schedule has not been deleted."""
        group = self.schedule_groups.get(schedule.group_name)
        return group is not None and group.schedules.get(schedule.name) is schedule

    def complete(self, schedule: Any) -> None:
        """Delete a schedule that is never due again, if it asked for that."""
        with self.lock:
            if schedule.next_due is None and schedule.action_after_completion == "DELETE" and self.has(schedule):
                self.delete_schedule(schedule.group_name, schedule.name)


class Conflict(ValidationException):
    """The error that a schedule or group of that name exists."""

    code = 409

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.error_type = "ConflictException"
        self.description = json.dumps({"__type": self.error_type, "message": message})


def _set(schedule: Any, timing: Timing, due: datetime | None) -> None:
    schedule.timing, schedule.next_due = timing, due
    schedule.last_modified_date = CLOCK.time()


def _checked(settings: Mapping[str, Any]) -> Timing:
    """Return when a schedule is due, after looking at everything else the service would refuse."""
    window = settings["flexible_time_window"] or {}
    minutes = window.get("MaximumWindowInMinutes")
    is_flexible = window.get("Mode") == "FLEXIBLE"
    if is_flexible != (minutes is not None) or not 1 <= (minutes or 1) <= LONGEST_WINDOW_MINUTES:
        raise ValidationException(f"A FLEXIBLE window, and no other, has 1 to {LONGEST_WINDOW_MINUTES} minutes.")
    check_target(settings["target"])
    start, end = (_date(settings[name]) for name in ("start_date", "end_date"))
    zone = settings["schedule_expression_timezone"] or "UTC"
    try:
        return Timing(settings["schedule_expression"], CLOCK.now(), zone, start, end)
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {settings['schedule_expression']}: {error}.") from error


def _date(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)


def fire_schedules(now: datetime) -> None:
    """Begin an invocation of every schedule of the cloud that is due."""
    backends: Any = scheduler_backends[current_cloud.ACCOUNT_ID]
    for backend in list(backends.values()):
        backend.fire(now)


def update_schedule(response: Any) -> str:
    """Replace all settings of a schedule, what happens at its end included."""
    names = {
        "description": "Description",
        "end_date": "EndDate",
        "flexible_time_window": "FlexibleTimeWindow",
        "group_name": "GroupName",
        "kms_key_arn": "KmsKeyArn",
        "schedule_expression": "ScheduleExpression",
        "schedule_expression_timezone": "ScheduleExpressionTimezone",
        "start_date": "StartDate",
        "state": "State",
        "target": "Target",
        "action_after_completion": "ActionAfterCompletion",
    }
    settings = {ours: response._get_param(theirs) for ours, theirs in names.items()}  # noqa: SLF001 - as moto's do
    name = response.uri.split("?")[0].split("/")[-1]
    return json.dumps({"ScheduleArn": response.scheduler_backend.update_schedule(name=name, **settings).arn})


CORRECTIONS = (
    Correction(scheduler_backends, "backend", Scheduler, "it stores any schedule and fires none"),
    Correction(EventBridgeSchedulerResponse, "update_schedule", update_schedule, "it keeps the old end of a schedule"),
)
