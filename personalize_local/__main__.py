"""Run it from the command line: `python -m personalize_local`, or `personalize-local` where it is installed.

Installed, it has no app to deploy: `serve` is bare, and the command `demo` is not there.
"""

import argparse
import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from personalize_local.aws.http.origins import origin
from personalize_local.command_line import CommandLineParser, assembly, check_port_is_free, output_folder, port, speed
from personalize_local.interruption import exit_after

SPEED = 600
MAX_BODY_MIB = 5120  # what S3 takes in one request
# What runs a command, imported only then: moto and the demo take seconds that `--help` need not.
COMMANDS = {
    "serve": "personalize_local.serving:run",
    "bare": "personalize_local.bare_serving:run",
    "demo": "personalize_local.demo:run_demo",
    "fault": "personalize_local.personalize.controls.faults_cli:run",
    "clock": "personalize_local.personalize.controls.clock_cli:run",
}
HAS_APP = importlib.util.find_spec("personalize_local.demo") is not None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    top = parser()
    chosen = top.parse_args(arguments)
    if "port" in chosen:
        try:
            check_port_is_free(chosen.port)
        except OSError as error:
            top.error(str(error))
    is_bare = chosen.command == "serve" and chosen.bare and not chosen.assembly
    module, _, function = COMMANDS["bare" if is_bare else chosen.command].partition(":")
    return int(getattr(importlib.import_module(module), function)(chosen))


def run() -> NoReturn:
    """Run as a command of its own: what the console script calls."""
    exit_after(main)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = CommandLineParser(
        prog="python -m personalize_local" if HAS_APP else "personalize-local",
        description="Amazon Personalize on this machine, without an account.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    _add_serve(commands)
    fault = commands.add_parser("fault", help="make a served Personalize fail, slow down or refuse")
    importlib.import_module("personalize_local.personalize.controls.faults_cli").add_arguments(fault)
    clock = commands.add_parser("clock", help="move the clock of a served Personalize")
    importlib.import_module("personalize_local.personalize.controls.clock_cli").add_arguments(clock)
    if HAS_APP:
        _add_commands_for_the_app(commands)
    return top


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="serve it until interrupted, with the app deployed if there is one")
    _add_port_and_speed(serve)
    serve.add_argument(
        "--bare",
        action="store_true",
        default=not HAS_APP,
        help="only Personalize, S3, IAM and other services without code",
    )
    serve.add_argument("--parent", type=int, help=argparse.SUPPRESS)  # ends with the process of this id
    serve.add_argument("--json", action="store_true", help="print where things are as one line of JSON")
    serve.add_argument("--state", type=Path, help="keep data in this directory, from one run to the next")
    serve.add_argument("--whole-cpus", action="store_true", help="do not hold functions to their share of CPU time")
    serve.add_argument("--https", action="store_true", help="speak HTTPS, with a certificate made on the spot")
    serve.add_argument("--ca-file", type=Path, help="with --https: write here whom clients have to trust")
    serve.add_argument(
        "--allow-origin",
        type=origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let web pages of this origin use it, such as http://localhost:3000 (repeatable; default: none)",
    )
    serve.add_argument(
        "--max-body-mib",
        type=_mebibytes,
        default=512,
        metavar="MIB",
        help=f"largest body of a request, 1 to {MAX_BODY_MIB} (default: %(default)s); all together: twice as much",
    )
    serve.add_argument("--assembly", type=assembly, help="deploy this cdk.out instead of synthesising the app")


def _add_commands_for_the_app(commands: Any) -> None:
    demo = commands.add_parser("demo", help="run the whole path on example data and show what came out")
    _add_port_and_speed(demo)
    demo.add_argument(
        "--out", type=output_folder, default=Path("out"), help="folder for the batch output (default: %(default)s)"
    )


def _mebibytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_BODY_MIB):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_BODY_MIB}")
    return int(text)


def _add_port_and_speed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=port, default=0, help="port on 127.0.0.1; 0, the default, picks a free one")
    command.add_argument(
        "--speed",
        type=speed,
        default=SPEED,
        help="simulated seconds per real second, above 0 and up to 1,000,000 (default: %(default)s)",
    )


if __name__ == "__main__":
    run()
