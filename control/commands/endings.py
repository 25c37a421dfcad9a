"""End things: remove a group or what is in it, forget users."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from control import printing
from control.commands.options import AsJson, Every, GroupName, Patience, connection_of
from control.commands.runs import follow_run
from control.connection import Connection
from control.runs.following import Follower
from lambdas.bucket_layout import STAGING

_MINUTES: Final = 60


def teardown(
    context: typer.Context,
    group: GroupName,
    yes: Annotated[bool, typer.Option("--yes", help="remove it; without this it is only told what would go")] = False,
    not_ours: Annotated[bool, typer.Option("--also-not-ours", help="also what the stage did not make")] = False,
    records: Annotated[
        bool, typer.Option("--also-records", help="also what is remembered of uploads and versions")
    ] = False,
    files: Annotated[bool, typer.Option("--also-files", help="also the group's files in the bucket")] = False,
    as_json: AsJson = False,
    every: Every = 5,
    patience_minutes: Patience = 240,
) -> None:
    """Remove everything of a group, and wait until it is gone."""
    connection = connection_of(context)
    options = {"alsoNotOurs": not_ours, "alsoRecords": records, "alsoFiles": files}
    asked = {"datasetGroup": group, **{name: True for name, chosen in options.items() if chosen}}
    told = _output(connection, asked, every, 10)
    if as_json:
        done = _output(connection, {**asked, "dryRun": False}, every, patience_minutes) if yes else {}
        printing.document({**told, **done})
        return
    _tell(group, told)
    if yes:
        arn = connection.start("teardown", {**asked, "dryRun": False})
        follow_run(connection, arn, every=every, patience_minutes=patience_minutes)


def _output(connection: Connection, asked: Mapping[str, Any], every: float, minutes: float) -> Mapping[str, Any]:
    """Return the output of a teardown, awaited in silence. Raises typer.Exit, once it is told why, when it failed."""
    arn = connection.start("teardown", asked)
    for _ in Follower(connection.executions, pause_seconds=every, patience_seconds=minutes * _MINUTES).follow(arn):
        pass
    ended = connection.executions.read(arn)
    if ended.status != "SUCCEEDED":
        follow_run(connection, arn, every=every, patience_minutes=1)
    return ended.output


def _tell(group: str, told: Mapping[str, Any]) -> None:
    rows = [
        (one["type"].replace("_", " "), one["name"], "bills" if one.get("bills") else "")
        for level in told["levels"]
        for one in level
    ]
    printing.table(f"of {group} would go, in this order", ("type", "name", ""), rows)
    if told.get("notOurs"):
        printing.table("not made by this stage (--also-not-ours)", ("",), [(one,) for one in told["notOurs"]])


def forget(
    context: typer.Context,
    group: GroupName,
    users: Annotated[Path, typer.Argument(help="a CSV file with the column USER_ID", exists=True, dir_okay=False)],
    every: Every = 5,
    patience_minutes: Patience = 24 * 60,
) -> None:
    """Forget users: in the datasets, uploads, staging, results and reports of a group."""
    connection = connection_of(context)
    key = f"{STAGING}{group}/forget/{users.name}"  # nothing watches it, and it is deleted after some days
    connection.objects.write(key, users.read_bytes(), "text/csv")
    location = f"s3://{connection.objects.bucket}/{key}"
    arn = connection.start("forget_users", {"datasetGroup": group, "users": location, "everywhere": True})
    follow_run(connection, arn, every=every, patience_minutes=patience_minutes)
    printing.say("models know these users until the next training: `run` trains where data changed")


COMMANDS: Final[dict[str, Callable[..., None]]] = {"teardown": teardown, "forget": forget}
