"""Options and arguments that several commands take, and what all of them are given."""

from pathlib import Path
from typing import Annotated, cast

import typer

from control.connection import Connection

GroupName = Annotated[str, typer.Argument(help="the dataset group, as its request names it")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Every = Annotated[float, typer.Option("--every", min=0.05, help="how many seconds lie between two looks")]
Patience = Annotated[float, typer.Option("--patience-minutes", min=0, help="how long to look; what runs goes on")]
Files = Annotated[list[Path], typer.Argument(help="CSV files, and a request (.json)", exists=True, dir_okay=False)]


class RefusedError(Exception):
    """What was asked for cannot be done; the text says why and what would help."""


def connection_of(context: typer.Context) -> Connection:
    """Return the connection that the program's options ask for."""
    return cast("Connection", context.obj)
