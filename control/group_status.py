"""Say how a dataset group stands: what runs, what waits and why, what serves since when, what comes next."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from control.connection import Connection
from control.runs.execution_reader import RUNNING, Execution
from control.uploading import news_text
from lambdas.bucket_layout import DATASETS, REQUESTS, dataset_key_of
from lambdas.costs.group_costs import serving_resources
from lambdas.releases.release_history import release_history
from lambdas.requests.schedules.due_times import ScheduleTimes
from lambdas.requests.schedules.planned_schedules import names_begin_with

ENABLED: Final = "ENABLED"  # what EventBridge Scheduler calls a schedule that is on


@dataclass(frozen=True)
class Serving:
    """A campaign or recommender, its status, and the version that it serves since when, as far as that is written."""

    noun: str
    name: str
    status: str
    version: str
    since: str


@dataclass(frozen=True)
class ScheduleStatus:
    """A schedule as EventBridge Scheduler has it; `next` is when it is due next, in its zone, None while it is off."""

    name: str
    expression: str
    timezone: str
    state: str
    next: datetime | None
    fault: str = ""  # why nobody here can tell when it is due

    @property
    def due(self) -> str:
        """Return when it is due next, for people."""
        if self.next is not None:
            return f"{self.next:%Y-%m-%d %H:%M %Z}"
        return self.fault or ("never again" if self.state == ENABLED else "paused")


@dataclass(frozen=True)
class GroupStatus:
    """How a group stands."""

    group: str
    running: tuple[Execution, ...]
    last_run: Execution | None
    waiting: tuple[tuple[str, str], ...]  # key and why
    serving: tuple[Serving, ...]
    schedules: tuple[ScheduleStatus, ...]

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "group": self.group,
            "running": [{"arn": one.arn, "machine": one.machine, "began": one.began} for one in self.running],
            "lastRun": None if self.last_run is None else {"arn": self.last_run.arn, "status": self.last_run.status},
            "waiting": [{"key": key, "reason": reason} for key, reason in self.waiting],
            "serving": list(self.serving),
            "schedules": [asdict(one) for one in self.schedules],
        }


def groups_of(connection: Connection) -> list[str]:
    """Return the groups that have a request in the bucket."""
    names = (key.removeprefix(REQUESTS) for key in connection.objects.keys(REQUESTS))
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def group_status(connection: Connection, group: str) -> GroupStatus:
    """Return how a group stands now."""
    runs = _runs(connection, group)
    return GroupStatus(
        group,
        tuple(run for run in runs if run.status == RUNNING),
        next((run for run in runs if run.machine == "pipeline" and run.status != RUNNING), None),
        tuple(_waiting(connection, group)),
        tuple(_serving(connection, group)),
        tuple(_schedules(connection, group)),
    )


def _runs(connection: Connection, group: str) -> list[Execution]:
    """Return the newest runs of a group, and who is at work for its datasets, the newest first."""
    newest = list(connection.executions.newest(connection.machine_arn("pipeline")))
    holders = {connection.leases.holder_of(dataset_key_of(group, name)) for name in DATASETS} - {None}
    imports = [connection.executions.read(str(arn)) for arn in sorted(holders, key=str)]
    own = [run for run in newest if run.group == group]
    return sorted((*own, *imports), key=_began, reverse=True)


def _began(execution: Execution) -> datetime:
    return execution.began


def _waiting(connection: Connection, group: str) -> list[tuple[str, str]]:
    rows = [row for name in DATASETS for row in connection.ledger.unsettled(dataset_key_of(group, name))]
    return [(row.key, news_text(connection, row)) for row in rows]


def _serving(connection: Connection, group: str) -> list[Serving]:
    last = release_history(connection.table, group)
    names = {version.version_arn: version.name for version in last.versions}
    found = []
    for one in serving_resources(connection.personalize, connection.group_arn(group)):
        name, arn = one.arn.rpartition("/")[2], str(one.described.get("solutionVersionArn", ""))
        record = last.now_serving().get(name)
        since = record.since if record and record.version_arn == arn else ""
        version = names.get(arn, arn.rpartition("/")[2])
        found.append(Serving(one.noun, name, str(one.described["status"]), version, since))
    return found


def _schedules(connection: Connection, group: str) -> list[ScheduleStatus]:
    client, prefix = connection.client("scheduler"), names_begin_with(group)
    described = [
        client.get_schedule(GroupName=connection.schedules.group, Name=name)
        for name in connection.schedules.names(prefix)
    ]
    if not described:
        return []
    now = connection.now()
    return [_schedule(one, one["Name"].removeprefix(prefix), now) for one in described]


def _schedule(described: Mapping[str, Any], name: str, now: datetime) -> ScheduleStatus:
    zone = str(described.get("ScheduleExpressionTimezone", "UTC"))
    times = ScheduleTimes(
        described["ScheduleExpression"],
        zone,
        described["LastModificationDate"],
        described.get("StartDate"),
        described.get("EndDate"),
    )
    state = str(described["State"])
    try:
        due, fault = times.next_after(now) if state == ENABLED else None, ""
    except ValueError as error:
        due, fault = None, str(error)
    return ScheduleStatus(name, times.expression, zone, state, due, fault)
