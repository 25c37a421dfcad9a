"""Define a schedule of a request: when EventBridge Scheduler starts something for the group, and what."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, field_validator, model_validator

from lambdas.requests.schedules.cron_syntax import expression_fault, zone_fault
from lambdas.requests.sections import Name, StrictSection, Training, TrainingMode

ScheduledAction = Literal["IMPORT", "TRAIN", "BATCH", "START", "STOP"]

# What each action must be told, and what it may be told.
_MUST: Final[Mapping[str, tuple[str, ...]]] = {
    "BATCH": ("template",),
    "START": ("recommender",),
    "STOP": ("recommender",),
}
_MAY: Final[Mapping[str, tuple[str, ...]]] = {"TRAIN": ("solution", "trainingMode", "train")}


class Schedule(StrictSection):
    """One schedule; it is made by the next run, in EventBridge Scheduler, and goes when it is taken out."""

    name: Name = Field(description="One schedule of the group is told from another by it.")
    schedule_expression: str = Field(description="cron(…) or rate(…), as EventBridge Scheduler takes them.")
    schedule_expression_timezone: str = Field(
        default="UTC", description="An IANA time zone. Where its clocks go forward, times in the gap are left out."
    )
    action: ScheduledAction = Field(
        description="IMPORT: what waits, into all datasets. TRAIN: a run of the pipeline. BATCH: one template's job. "
        "START and STOP: a recommender, which then follows its timetable, whatever runs come between."
    )
    solution: Name | None = Field(default=None, description="TRAIN: only this one, in place of all.")
    training_mode: TrainingMode | None = Field(default=None, description="TRAIN: in place of the solutions' own.")
    train: Training | None = Field(default=None, description="TRAIN: in place of the request's own.")
    template: Name | None = Field(default=None, description="BATCH: the batch template.")
    recommender: Name | None = Field(default=None, description="START, STOP: the recommender.")

    @field_validator("schedule_expression")
    @classmethod
    def _is_expression(cls, value: str) -> str:
        if fault := expression_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("schedule_expression_timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if fault := zone_fault(value):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _says_what_its_action_needs(self) -> "Schedule":
        must, may = _MUST.get(self.action, ()), _MAY.get(self.action, ())
        options = ("solution", "trainingMode", "train", "template", "recommender")
        given = {key for key in options if self.model_dump(by_alias=True)[key] is not None}
        if missing := sorted(set(must) - given):
            raise ValueError(f"{self.action} needs {', '.join(missing)}")
        if idle := sorted(given - {*must, *may}):
            raise ValueError(f"{', '.join(idle)} means nothing to {self.action}")
        return self
