"""Move the clock of a served Personalize, from the command line: `clock`."""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from personalize_local.command_line import endpoint, speed
from personalize_local.personalize.controls.control_client import change
from personalize_local.personalize.controls.faults_cli import reported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--endpoint", type=endpoint, required=True, help="where serve said it is READY, http://127.0.0.1:PORT"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    advance = actions.add_parser("advance", help="jump ahead")
    advance.add_argument("advance", metavar="seconds", type=float, help="simulated seconds, not below 0")
    run_at = actions.add_parser("run", help="let time pass at a speed")
    run_at.add_argument("speed", type=speed, help="simulated seconds per real second")
    actions.add_parser("freeze", help="let time stand until it is advanced")
    actions.add_parser("automatic", help="let each question about a status make the next change come")
    actions.add_parser("show", help="tell the time and how it passes")


def run(args: argparse.Namespace) -> int:
    """Do it, print the time then, and return the exit code."""
    wanted: dict[str, object] = {name: vars(args)[name] for name in ("advance", "speed") if name in args}
    if args.action in {"freeze", "automatic"}:
        wanted[args.action] = True
    return reported(args.endpoint, lambda: _said(change(args.endpoint, "clock", wanted)))


def _said(state: Mapping[str, Any]) -> None:
    clock = state["clock"]
    how = "by itself where a status is asked for" if clock["automatic"] else f"{clock['speed']:g} times as fast"
    sys.stdout.write(f"{datetime.fromtimestamp(clock['now'], UTC):%Y-%m-%d %H:%M:%S} UTC, {how}\n")
