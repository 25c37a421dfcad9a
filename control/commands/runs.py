"""Start runs and follow them; ask for recommendations; read the logs."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from control import printing
from control.commands.options import AsJson, Every, GroupName, Patience, RefusedError, connection_of
from control.connection import Connection
from control.function_logs import log_lines
from control.recommending import recommend_from
from control.runs.execution_reader import RUNNING
from control.runs.explanation import explain_execution
from control.runs.explanation_report import explanation_lines
from control.runs.following import Follower

_MINUTES: Final = 60
_INDENT: Final = "  "


def run(
    context: typer.Context,
    group: GroupName,
    follow: Annotated[bool, typer.Option(help="print its steps until it ends")] = True,
    train: Annotated[str | None, typer.Option(help="ALWAYS or NEVER; without it as the request says")] = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="follow the run that goes on, rather than start one")
    ] = False,
    every: Every = 5,
    patience_minutes: Patience = 24 * 60,
) -> None:
    """Start the pipeline of a group, whose request is in the bucket, and follow it."""
    connection = connection_of(context)
    options = {"train": train} if train else {}
    arn = _running(connection, group) if attach else connection.start("pipeline", {"datasetGroup": group, **options})
    printing.say(arn)
    if follow:
        follow_run(connection, arn, every=every, patience_minutes=patience_minutes)


def follow_run(connection: Connection, arn: str, *, every: float, patience_minutes: float) -> None:
    """Print an execution's steps and how it ended. Raises typer.Exit with 1 when it failed, and StillRunningError."""
    reader = connection.executions
    follower = Follower(reader, pause_seconds=every, patience_seconds=patience_minutes * _MINUTES)
    for step in follower.follow(arn):
        printing.say(
            f"{printing.moment(step.time)} {_INDENT * step.depth}{step.machine}: {step.state} ({step.subject})"
        )
    ended = reader.read(arn)
    holder = (ended.output.get("plan") or {}).get("holder") or arn
    if holder != arn:
        printing.say(f"another run of this group was under way and does the work: {holder}")
        follow_run(connection, holder, every=every, patience_minutes=patience_minutes)
        return
    if why := explain_execution(reader, ended):
        for line in explanation_lines(why):
            printing.say(line)
        raise typer.Exit(1)
    printing.say(f"{ended.status}: {ended.output.get('summary', 'see the output')}")


def _running(connection: Connection, group: str) -> str:
    for execution in connection.executions.newest(connection.machine_arn("pipeline"), RUNNING):
        if execution.group == group:
            return execution.arn
    raise RefusedError(f"no run of {group} is under way")


def recommend(
    context: typer.Context,
    group: GroupName,
    user: Annotated[str | None, typer.Option(help="recommend to this user")] = None,
    item: Annotated[str | None, typer.Option(help="recommend what goes with this item")] = None,
    campaign: Annotated[str | None, typer.Option(help="which campaign or recommender, where there are several")] = None,
    filter_name: Annotated[str | None, typer.Option("--filter", help="a filter of the group")] = None,
    count: Annotated[int, typer.Option(min=1, max=500, help="how many items")] = 10,
    as_json: AsJson = False,
) -> None:
    """Ask a campaign or recommender of a group for recommendations."""
    if not user and not item:
        raise RefusedError("say for whom: --user, or --item for what goes with an item")
    asked: dict[str, Any] = {"numResults": count}
    asked |= {"userId": user} if user else {}
    asked |= {"itemId": item} if item else {}
    answer = recommend_from(connection_of(context), group, campaign, filter_name, asked)
    if as_json:
        printing.document(answer)
        return
    rows = [(place, one["itemId"], one.get("score", "")) for place, one in enumerate(answer["itemList"], 1)]
    printing.table(f"recommended by {answer['servedBy']}", ("", "item", "score"), rows)


def logs(
    context: typer.Context,
    handler: Annotated[str | None, typer.Option(help="one handler, as lambdas/ names it; without it all")] = None,
    minutes: Annotated[float, typer.Option(min=0, help="how far back")] = 60,
    grep: Annotated[str | None, typer.Option(help="only lines that hold this text")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what the handlers logged, the oldest first."""
    connection = connection_of(context)
    lines = log_lines(connection.client("logs"), connection.app, handler, minutes * _MINUTES, grep)
    if as_json:
        printing.document([line.document() for line in lines])
        return
    for line in lines:
        printing.say(str(line))


COMMANDS: Final[dict[str, Callable[..., None]]] = {"run": run, "recommend": recommend, "logs": logs}
