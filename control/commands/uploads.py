"""Upload files and ask after them."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from control import printing
from control.commands.data_preparation import request_among
from control.commands.options import AsJson, Every, Files, Patience, RefusedError, connection_of
from control.commands.runs import follow_run
from control.connection import Connection
from control.data_files.checking import kind_of
from control.histories.file_history import describe, file_document, file_versions
from control.uploading import Uploader, news_text, upload_of
from lambdas.bucket_layout import DATASETS, dataset_key_of, request_key
from lambdas.requests.request import Request
from lambdas.uploads.import_selection import FEWEST_INTERACTIONS
from lambdas.uploads.records.file_row import FileRow

_MINUTES: Final = 60


def put(
    context: typer.Context,
    files: Files,
    group: Annotated[str | None, typer.Option(help="the dataset group (default: the request's)")] = None,
    full: Annotated[bool, typer.Option("--full", help="replace what the dataset holds, rather than add")] = False,
    follow: Annotated[bool, typer.Option(help="look what becomes of them")] = True,
    every: Every = 5,
    patience_minutes: Patience = 180,
) -> None:
    """Upload data files, then a request if one is given, and follow what becomes of them."""
    connection, request = connection_of(context), request_among(files)
    name = group or (request.dataset_group.name if request else None)
    if name is None:
        raise RefusedError("say for which dataset group, by --group or by its request (a .json file)")
    if request and request.dataset_group.name != name:
        raise RefusedError(f"the request is for {request.dataset_group.name}, and --group says {name}")
    uploader = Uploader(connection, pause_seconds=every, patience_seconds=patience_minutes * _MINUTES)
    uploads = {}
    for path in (path for path in files if path.suffix != ".json"):
        upload = upload_of(path, name, kind_of(path).dataset, full=full)
        uploads[upload.key] = (upload, uploader.put(upload))
        printing.say(f"{path} → s3://{connection.objects.bucket}/{upload.key}")
    started = _start(connection, request, files) if request else None
    if not follow:
        return
    bad = False
    for news in uploader.follow(name, uploads, started):
        bad |= news.is_bad
        printing.say(f"{news.key}: {' '.join(part for part in (news.state, news.text) if part)}")
    if started:
        follow_run(connection, started, every=every, patience_minutes=patience_minutes)
    if bad:
        raise typer.Exit(1)


def _start(connection: Connection, request: Request, files: list[Path]) -> str:
    """Keep the request where every later run finds it; start its run and return the execution."""
    (path,) = (path for path in files if path.suffix == ".json")
    key = request_key(request.dataset_group.name)
    # The upload itself starts the pipeline as well, which then finds this run's lease, or this one finds its.
    connection.objects.write(key, path.read_bytes(), "application/json")
    printing.say(f"{path} → s3://{connection.objects.bucket}/{key}")
    return connection.start("pipeline", {"datasetGroup": request.dataset_group.name})


def files(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="a dataset group, or one object: uploads/<group>/<dataset>/…")],
    as_json: AsJson = False,
) -> None:
    """Say which files of a group wait or were rejected, and why; or what happened to every version of one file."""
    connection = connection_of(context)
    if "/" in what and not as_json:
        _tell_history(connection, what)
        return
    rows = file_versions(what, connection.table) if "/" in what else _open_and_rejected(connection, what)
    if as_json:
        printing.document([file_document(row, connection.table) for row in rows])
        return
    cells = [(row.key, row.state, printing.moment(row.arrived), news_text(connection, row)) for row in rows]
    printing.table(f"files of {what}", ("key", "state", "arrived", "why it waits, or was rejected"), cells)
    _tell_shortage(rows)


def _tell_history(connection: Connection, key: str) -> None:
    lines = list(describe(key, connection.table))
    for line in lines:
        printing.say(line)
    if not lines:
        raise RefusedError(f"the ledger knows nothing of {key}")


def _open_and_rejected(connection: Connection, group: str) -> list[FileRow]:
    ledger = connection.ledger
    keys = [dataset_key_of(group, name) for name in (*DATASETS, "batch", "deletions")]
    return [row for key in keys for row in (*ledger.unsettled(key), *ledger.rejected(key))]


def _tell_shortage(rows: list[FileRow]) -> None:
    waiting = [row for row in rows if row.dataset_key.endswith("/interactions") and not row.settled and row.inspected]
    known = sum(row.rows for row in waiting)
    if waiting and known < FEWEST_INTERACTIONS:
        printing.say(f"{FEWEST_INTERACTIONS - known} rows of interactions are missing until these can be imported")


COMMANDS: Final[dict[str, Callable[..., None]]] = {"put": put, "files": files}
