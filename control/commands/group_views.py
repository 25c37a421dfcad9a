"""Ask how a dataset group stands: its status, its failures, its history."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from control import printing
from control.commands.options import AsJson, GroupName, RefusedError, connection_of
from control.connection import Connection
from control.group_status import GroupStatus, group_status, groups_of
from control.histories.group_history import (
    FileJourney,
    history_document,
    history_lines,
    history_of,
    journey_lines,
    journeys_of,
)
from control.histories.lineage_events import LineageEvents
from control.runs.execution_reader import Execution
from control.runs.explanation import explain_execution
from control.runs.explanation_report import explanation_document, explanation_lines
from lambdas.bucket_layout import UPLOADS
from lambdas.releases.release_history import ReleaseHistory

_MACHINES: Final = ("pipeline", "import_uploads", "run_batch_inference", "train_solution", "update_campaign")


def status(
    context: typer.Context,
    group: Annotated[str | None, typer.Argument(help="the dataset group; without it all that have a request")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what runs, what waits and why, what serves since when, and what is scheduled."""
    connection = connection_of(context)
    found = [group_status(connection, name) for name in ([group] if group else groups_of(connection))]
    if as_json:
        printing.document([one.document() for one in found])
        return
    for one in found:
        _tell(one)
    if not found:
        printing.say("no group has a request in the bucket: `init` drafts one, `put` uploads it")


def _tell(one: GroupStatus) -> None:
    printing.say(f"{one.group}:")
    runs = [(run.machine, "under way since", printing.moment(run.began), run.arn) for run in one.running]
    if one.last_run:
        last = one.last_run
        told = str(last.output.get("summary", "")) or f"`explain {one.group}` says why"
        runs.append((last.machine, f"last one {last.status}", printing.moment(last.ended), told))
    printing.table("runs", ("machine", "", "when (UTC)", ""), runs)
    printing.table("waiting files", ("key", "because"), one.waiting)
    serving = [(s.noun, s.name, s.status, s.version, printing.moment(s.since)) for s in one.serving]
    printing.table("serving", ("", "name", "status", "version", "since (UTC)"), serving)
    schedules = [(s.name, f"{s.expression} {s.timezone}", s.due) for s in one.schedules]
    printing.table("schedules", ("name", "when", "next"), schedules)


def explain(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="an execution's ARN, or a group: its newest failure")],
    as_json: AsJson = False,
) -> None:
    """Say why an execution failed: where, on what, in the service's words, and what the runbook says."""
    connection = connection_of(context)
    execution = connection.executions.read(what) if what.startswith("arn:") else _newest_failure(connection, what)
    why = explain_execution(connection.executions, execution)
    if as_json:
        printing.document(explanation_document(execution, why))
        return
    if why is None:
        printing.say(f"{execution.arn} did not fail: it is {execution.status}")
        return
    for line in explanation_lines(why):
        printing.say(line)


def _newest_failure(connection: Connection, group: str) -> Execution:
    failed = [
        execution
        for machine in _MACHINES
        for state in ("FAILED", "TIMED_OUT", "ABORTED")
        for execution in connection.executions.newest(connection.machine_arn(machine), state)
        if execution.group == group
    ]
    if not failed:
        raise RefusedError(f"none of the newest executions for {group} failed; `status {group}` says what waits")
    # The newest, and of what failed together the one that started the others.
    return max(failed, key=lambda execution: execution.ended or execution.began)


def history(
    context: typer.Context,
    group: GroupName,
    file: Annotated[str | None, typer.Option(help="one upload's way: uploads/<group>/<dataset>/…")] = None,
    open_lineage: Annotated[bool, typer.Option(help="as events of OpenLineage, one a line")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell which versions were trained from what, how they were judged, and what served when."""
    connection = connection_of(context)
    if file and not file.startswith(f"{UPLOADS}{group}/"):
        raise RefusedError(f"{file} is no upload of {group}: its key begins with {UPLOADS}{group}/")
    found = history_of(connection, group)
    journeys = journeys_of(connection, group, file, found) if file else []
    if open_lineage:
        _tell_lineage(connection, group, found, journeys)
        return
    if as_json:
        printing.document(journeys if file else history_document(found))
        return
    for line in journey_lines(file, journeys, found) if file else history_lines(group, found):
        printing.say(line)


def _tell_lineage(connection: Connection, group: str, found: ReleaseHistory, journeys: Sequence[FileJourney]) -> None:
    prefix, bucket = connection.personalize.arn_prefix, connection.objects.bucket
    lineage = LineageEvents(connection.app, prefix, bucket, connection.group_arn(group))
    for event in (*lineage.of_files(journeys), *lineage.of_versions(found)):
        printing.json_line(event)


COMMANDS: Final[dict[str, Callable[..., None]]] = {"status": status, "explain": explain, "history": history}
