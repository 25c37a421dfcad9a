"""Define the events that a stage puts on its bus: one class for each detail type, which is its name in words.

docs/events.md is made from these classes. A change that takes a member away or gives it another meaning needs a class
of another name: programs of others rely on them.
"""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

RunStatus = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class EventPart(BaseModel):
    """What the details of events have in common: names in camel case, and no member that is not documented."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class StageEvent(EventPart):
    """The detail of an event."""

    dataset_group: str | None = Field(description="The dataset group, as its request calls it; null where nobody knows")

    @classmethod
    def detail_type(cls) -> str:
        """Return the event's detail type: `RunStatusChange` is "Run Status Change"."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__)

    def detail(self) -> dict[str, Any]:
        """Return the detail as JSON has it."""
        return self.model_dump(by_alias=True)


class RunStatusChange(StageEvent):
    """A run of a machine began or ended, whoever started it: the pipeline and each of its stages."""

    stage: str = Field(description="Application and stage, `<name>-<stage>`")
    machine: str = Field(description="The machine's file in `statemachines/`, without its ending")
    subject: str = Field(description="What the run is about: a dataset, a solution, or the whole group")
    status: RunStatus = Field(description="The execution's status in Step Functions")
    error: str | None = Field(description="The innermost error's name, where the run failed")
    reason: str | None = Field(description="The service's own reason of a failure; a summary of what succeeded")
    outputs: list[str] = Field(description="Where batch jobs of the run wrote, as S3 URIs")
    execution_arn: str = Field(description="The execution")
    started_by: str | None = Field(description="The execution that waits for this one, if any does")


class ResourceChange(StageEvent):
    """A resource of Amazon Personalize was created, changed or deleted, and is done; or that failed."""

    stage: str = Field(description="Application and stage, `<name>-<stage>`")
    resource_type: str = Field(description="The type, a row of the resource table: `campaign`, `solution_version`, …")
    name: str | None = Field(description="The resource's name in the service")
    arn: str | None = Field(description="Its ARN, where it is known")
    change: Literal["CREATED", "UPDATED", "STARTED", "STOPPED", "DELETED", "FAILED"] = Field(
        description="What was done; FAILED whatever was tried"
    )
    status: str | None = Field(description="The service's status word afterwards; null once it is gone")
    error: str | None = Field(description="The error's name, where it failed")
    reason: str | None = Field(description="The service's own reason, where it failed")
    execution_arn: str = Field(description="The execution of `ensure_resource` or `remove_resource`")
    started_by: str | None = Field(description="The execution that waits for this one, if any does")


class ApplicationParameterChange(StageEvent):
    """A parameter that applications read was written or removed: what they have cached of it is old."""

    stage: str = Field(description="Application and stage, `<name>-<stage>`")
    parameter: str = Field(description="The parameter's name in Parameter Store")
    value: str | None = Field(description="Its value from now on; null when it was removed")
    previous: str | None = Field(description="Its value before; null when it was not there")


class SolutionVersionKeptBack(StageEvent):
    """A trained version missed a gate, and does not serve."""

    solution: str = Field(description="The solution, as the request calls it")
    reasons: list[str] = Field(description="Each gate that it missed, with figures")
    trained_solution_version_arn: str = Field(description="The version that is kept back")
    solution_version_arn: str | None = Field(description="The version that goes on to serve; null where none did")
    metrics: dict[str, float] = Field(description="The offline metrics of the version that is kept back")


class OverBudget(StageEvent):
    """A run, a training or a campaign's throughput would pass the request's budget, and was refused."""

    run: str = Field(description="The run that was refused")
    reasons: list[str] = Field(description="Each limit that it would pass, as `<field of the request>: <why>`")


class IdleCapacityItem(EventPart):
    """One campaign or recommender that nobody asks."""

    type: str = Field(description="`campaign` or `recommender`")
    name: str = Field(description="Its name in the service")
    hours: float = Field(description="For how many hours nobody asked it anything")
    monthly: float | None = Field(description="What it costs a month; null where the price is not known")
    done: Literal["lower", "stop", "leave"] = Field(description="What is done about it, as the request says")


class IdleCapacity(StageEvent):
    """Campaigns or recommenders serve nobody, for as long as the request calls idle. Each is told once."""

    currency: str = Field(description="Of the prices")
    idle: list[IdleCapacityItem] = Field(description="What is idle since the last review")
