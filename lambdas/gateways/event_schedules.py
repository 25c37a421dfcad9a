"""Reach one stage's schedules in EventBridge Scheduler, which start its state machines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

SCHEDULABLE_MACHINES: Final = ("ensure_resource", "import_data", "pipeline", "run_batch_inference")
# A start that failed is tried again for an hour; after that it would rather be in the way of the next.
_RETRIES: Final = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185}
_OURS: Final = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Description", "Target")


@dataclass(frozen=True)
class ScheduledStart:
    """What a schedule starts, and when: a machine by its file's stem, its input, an expression and a time zone."""

    expression: str
    timezone: str
    machine: str
    execution_input: Mapping[str, Any]
    description: str


class EventSchedules(Protocol):
    """The schedules of one stage, as the domain sees them."""

    def names(self, beginning: str) -> list[str]:
        """Return the names of the schedules that begin so."""

    def is_as(self, name: str, start: ScheduledStart) -> bool:
        """Say whether a schedule that is there does what `start` says; whether it is paused does not matter."""

    def create(self, name: str, start: ScheduledStart) -> None:
        """Make a schedule."""

    def update(self, name: str, start: ScheduledStart) -> None:
        """Change a schedule; one that somebody has paused stays paused."""

    def delete(self, name: str) -> None:
        """Delete a schedule; one that is gone needs nothing."""


class StageSchedules:
    """The schedules of one stage in EventBridge Scheduler, through a client of boto3.

    They lie in one schedule group; `role_arn` is what the service may do for them, and `machine_arns` are the ARNs of
    what they may start.
    """

    def __init__(
        self, client: Any, group: str, role_arn: str, dead_letters_arn: str, machine_arns: Mapping[str, str]
    ) -> None:
        self._client = client
        self.group = group
        self._role_arn = role_arn
        self._dead_letters_arn = dead_letters_arn
        self._machine_arns = machine_arns

    def names(self, beginning: str) -> list[str]:
        """Return the names of the schedules that begin so."""
        pages = self._client.get_paginator("list_schedules").paginate(GroupName=self.group, NamePrefix=beginning)
        return [str(listed["Name"]) for page in pages for listed in page["Schedules"]]

    def is_as(self, name: str, start: ScheduledStart) -> bool:
        """Say whether a schedule that is there does what `start` says; whether it is paused does not matter."""
        described = self._client.get_schedule(GroupName=self.group, Name=name)
        wanted = self._settings(start)
        target = {key: described["Target"].get(key) for key in wanted["Target"]}
        return {key: described.get(key) for key in _OURS} | {"Target": target} == wanted

    def create(self, name: str, start: ScheduledStart) -> None:
        """Make a schedule; one that was made meanwhile is changed."""
        try:
            self._client.create_schedule(GroupName=self.group, Name=name, **self._settings(start))
        except self._client.exceptions.ConflictException:
            self.update(name, start)

    def update(self, name: str, start: ScheduledStart) -> None:
        """Change a schedule; one that somebody has paused stays paused."""
        state = self._client.get_schedule(GroupName=self.group, Name=name)["State"]
        self._client.update_schedule(GroupName=self.group, Name=name, State=state, **self._settings(start))

    def delete(self, name: str) -> None:
        """Delete a schedule; one that is gone needs nothing."""
        try:
            self._client.delete_schedule(GroupName=self.group, Name=name)
        except self._client.exceptions.ResourceNotFoundException:
            return

    def _settings(self, start: ScheduledStart) -> dict[str, Any]:
        return {
            "ScheduleExpression": start.expression,
            "ScheduleExpressionTimezone": start.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Description": start.description,
            "Target": {
                "Arn": self._machine_arns[start.machine],
                "RoleArn": self._role_arn,
                "Input": json.dumps(start.execution_input, sort_keys=True),
                "RetryPolicy": _RETRIES,
                "DeadLetterConfig": {"Arn": self._dead_letters_arn},
            },
        }
