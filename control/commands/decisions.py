"""Decide about versions: let one serve, keep one serving, go back."""

import getpass
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from control.commands.options import Every, GroupName, connection_of
from control.commands.runs import follow_run

_MINUTES: Final = 120.0

Version = Annotated[str, typer.Argument(help="the version's name, as `history` tells it")]
Why = Annotated[str, typer.Option(help="kept beside the decision")]
By = Annotated[str | None, typer.Option(help="who decides (default: who is logged in)")]
Solution = Annotated[str | None, typer.Option(help="which solution, where there are several")]


def approve(
    context: typer.Context, group: GroupName, version: Version, why: Why, by: By = None, solution: Solution = None,
    every: Every = 5,
) -> None:  # fmt: skip
    """Let a version serve that was kept back."""
    _decide(context, group, {"approve": {"solutionVersion": version, **_signed(by, why)}}, solution, every)


def pin(
    context: typer.Context, group: GroupName, version: Version, why: Why, by: By = None, solution: Solution = None,
    every: Every = 5,
) -> None:  # fmt: skip
    """Serve one version, whatever later runs train, until `unpin`."""
    _decide(context, group, {"pin": {"solutionVersion": version, **_signed(by, why)}}, solution, every)


def unpin(context: typer.Context, group: GroupName, solution: Solution = None, every: Every = 5) -> None:
    """Let runs deploy again."""
    _decide(context, group, {"unpin": True}, solution, every)


def rollback(
    context: typer.Context, group: GroupName, why: Why = "", by: By = None, solution: Solution = None, every: Every = 5
) -> None:
    """Go back to what served before, and stay there until `unpin`."""
    _decide(context, group, {"rollback": True, **_signed(by, why)}, solution, every)


def _signed(by: str | None, why: str) -> dict[str, str]:
    return {"by": by or getpass.getuser(), **({"why": why} if why else {})}


def _decide(context: typer.Context, group: str, decision: dict[str, Any], solution: str | None, every: float) -> None:
    connection = connection_of(context)
    which = {"solution": solution} if solution else {}
    arn = connection.start("update_campaign", {"datasetGroup": group, **decision, **which})
    follow_run(connection, arn, every=every, patience_minutes=_MINUTES)


COMMANDS: Final[dict[str, Callable[..., None]]] = {"approve": approve, "pin": pin, "unpin": unpin, "rollback": rollback}
