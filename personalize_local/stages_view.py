"""Show a run's stages live: which machines run, since when, and which resources they wait for."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud

STAGES = ("pipeline", "import_data", "import_uploads", "train_solution", "update_campaign", "run_batch_inference")
_COLOURS = {"FAILED": "red", "TIMED_OUT": "red", "ABORTED": "red", "RUNNING": "yellow", "WAITING": "yellow"}


@dataclass(frozen=True)
class StageRow:
    """One execution: what it is about, how it stands, and how long it has taken in simulated time."""

    title: str
    status: str
    took: timedelta


class StagesView:
    """The executions started since: a table that changes in place on a terminal, a line for each change elsewhere."""

    def __init__(self, cloud: Cloud, console: Console) -> None:
        self._cloud = cloud
        self._console = console
        self._states = cloud.client("stepfunctions")
        self._shown: dict[str, str] = {}
        self._inputs: dict[str, dict[str, Any]] = {}
        self._outcomes: dict[str, str] = {}
        self._earlier = {arn for machine in STAGES for arn in self._arns(machine)}
        self._live: AbstractContextManager[Any] = (
            Live(console=console, refresh_per_second=8) if console.is_terminal else nullcontext()
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.__exit__(kind, error, at)

    def refresh(self) -> None:
        """Look at all executions and show what changed."""
        if isinstance(self._live, Live):
            self._live.update(self._table())
            return
        for arn, stage in self._stages():
            if self._shown.get(arn) != stage.status:
                self._shown[arn] = stage.status
                self._console.print(f"  {stage.title:<46} {stage.status.lower():<10} {_minutes(stage.took)}")

    def _table(self) -> Table:
        table = Table("Stage", "Status", "Simulated time", box=None, header_style="bold")
        for _, stage in self._stages():
            colour = _COLOURS.get(stage.status, "green")
            table.add_row(stage.title, f"[{colour}]{stage.status.lower()}[/]", _minutes(stage.took))
        for waiting in self._waiting():
            table.add_row(f"    [dim]{waiting}[/]")
        return table

    def _stages(self) -> Iterator[tuple[str, StageRow]]:
        for machine in STAGES:
            executions = sorted(self._executions(machine), key=lambda execution: execution["startDate"])
            for execution in (each for each in executions if each["executionArn"] not in self._earlier):
                about = self._about(execution["executionArn"])
                took = execution.get("stopDate", CLOCK.now()) - execution["startDate"]
                yield execution["executionArn"], StageRow(_title(machine, about), self._outcome(execution), took)

    def _waiting(self) -> Iterator[str]:
        """Yield what the wait loops that run at the moment are waiting for."""
        for execution in self._executions("ensure_resource", statusFilter="RUNNING"):
            about = self._about(execution["executionArn"])
            request = about.get("request", {})
            name = request.get("name") or request.get("jobName") or ""
            yield f"{about.get('type', '').replace('_', ' ')} {name}: {_minutes(_since(execution['startDate']))}"

    def _executions(self, machine: str, **filters: str) -> list[dict[str, Any]]:
        arn = self._cloud.deployment.state_machines[machine]
        return list(self._states.list_executions(stateMachineArn=arn, **filters)["executions"])

    def _arns(self, machine: str) -> list[str]:
        return [execution["executionArn"] for execution in self._executions(machine)]

    def _outcome(self, execution: dict[str, Any]) -> str:
        """Return the status, or what the run itself says came of it: uploads may wait for their dataset."""
        arn, status = execution["executionArn"], str(execution["status"])
        if status != "SUCCEEDED":
            return status
        if arn not in self._outcomes:
            output = json.loads(self._states.describe_execution(executionArn=arn)["output"])
            self._outcomes[arn] = output.get("outcome", status)
        return self._outcomes[arn]

    def _about(self, arn: str) -> dict[str, Any]:
        if arn not in self._inputs:
            self._inputs[arn] = json.loads(self._states.describe_execution(executionArn=arn)["input"])
        return self._inputs[arn]


def _title(machine: str, about: dict[str, Any]) -> str:
    detail = about.get("dataset") or about.get("solution") or about.get("template") or ""
    indent = "" if machine == "pipeline" else "  " if machine != "import_uploads" else "    "
    return f"{indent}{machine.replace('_', ' ').capitalize()} {detail}".rstrip()


def _since(moment: datetime) -> timedelta:
    return CLOCK.now() - moment


def _minutes(duration: timedelta) -> str:
    minutes = duration.total_seconds() / 60
    return f"{minutes / 60:.1f} h" if minutes >= 100 else f"{minutes:.0f} min"  # noqa: PLR2004 - reads best so
