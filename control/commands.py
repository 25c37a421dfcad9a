"""Read the arguments of the command line, and carry out the command."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from control.connection import Connection, NotDeployedError
from control.conversion import NoConfigurationError, convert
from control.group_export import NoSuchGroupError, export_group
from control.plan_report import plan_lines
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import DEFAULT_PRICES, UnreadablePricesError, load_prices
from lambdas.previews.added_spending import budget_problems, budget_refusals
from lambdas.previews.plan_document import plan_document
from lambdas.previews.preview import Preview
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import check_request
from lambdas.requests.request import InvalidRequestError
from lambdas.requests.request_reading import load_request, parse_request

_RUN: Final = "the-next-run"
_REFUSALS: Final = (
    BotoCoreError, ClientError, InvalidRequestError, NoConfigurationError, NoSuchGroupError, NotDeployedError, OSError,
    UnreadablePricesError,
)  # fmt: skip


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints are one line: the usage is what `--help` is for."""

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and the message."""
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; return 0, or 1 when it was refused something (2: the arguments are wrong)."""
    options = parser().parse_args(arguments)
    connection = Connection(options.app, options.region, options.profile, options.endpoint)
    try:
        return int(options.carry_out(connection, options))
    except _REFUSALS as error:
        print(f"control {options.command}: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = OneLineParser(prog="control", description="Ask and plan, on AWS and on the local cloud alike.")
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    made.add_argument("--endpoint", default=endpoint, help="the local cloud's address (default: AWS_ENDPOINT_URL)")
    made.add_argument("--region", help="the AWS region (default: the profile's)")
    made.add_argument("--profile", help="the AWS profile (default: AWS_PROFILE)")
    made.add_argument("--app", default="personalize-dev", help="what the stage's stacks begin with: <name>-<stage>")
    commands = made.add_subparsers(
        dest="command", required=True, metavar="command", help="what to do", parser_class=OneLineParser
    )
    export = _add(commands, "export", _export, "write the request for a dataset group that exists")
    export.add_argument("group", help="the dataset group's name")
    plan = _add(commands, "plan", _plan, "say what a run of a request would do, before anything is done")
    plan.add_argument("request", help="a file, or the name of a group whose request is in the bucket")
    plan.add_argument("--all", action="store_true", help="also what stays as it is")
    plan.add_argument("--json", action="store_true", help="as JSON, for programs")
    plan.add_argument("--prices", type=Path, default=DEFAULT_PRICES, help="your prices (default: those of us-east-1)")
    conversion = _add(commands, "convert", _convert, "turn a configuration of AWS's retired solution into a request")
    conversion.add_argument("file", type=Path, help="the configuration file")
    return made


def _add(
    commands: Any, name: str, carry_out: Callable[[Connection, argparse.Namespace], int], description: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    command.set_defaults(carry_out=carry_out)
    return command


def _export(connection: Connection, options: argparse.Namespace) -> int:
    exported = export_group(connection.personalize, options.group)
    _print_request(exported.request, exported.remarks)
    return 0


def _convert(_connection: Connection, options: argparse.Namespace) -> int:
    try:
        configuration = json.loads(options.file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoConfigurationError(f"{options.file} is no JSON: {error}") from error
    converted = convert(configuration)
    _print_request(converted.request, converted.remarks)
    parse_request(converted.request)  # what our own model refuses is told, after what there is
    return 0


def _plan(connection: Connection, options: argparse.Namespace) -> int:
    request = load_request(_given(options.request), connection.objects.text)
    planner = Planner(request, _RUN, connection.account)
    check_request(planner, connection.personalize)
    group, costs, now = request.dataset_group.name, CostEstimator(load_prices(options.prices)), datetime.now(UTC)
    preview = Preview(
        planner,
        connection.personalize,
        connection.unwritten_releases(group),
        now,
        connection.data(group, list(request.datasets)),
        lambda prefix: next(iter(connection.objects.keys(prefix)), None) is not None,
        connection.counts,
        costs,
        connection.schedules,
    )
    changes = preview.changes()
    changes += budget_refusals(budget_problems(planner, connection.personalize, changes, costs, now))
    shown = changes if options.all else [change for change in changes if change.verb != "leave"]
    if options.json:
        print(json.dumps(plan_document(shown, costs.prices), indent=2))
    else:
        region = connection.personalize.arn_prefix.split(":")[3]
        print("\n".join(plan_lines(changes, costs.prices, region=region, everything=options.all)))
    return int(any(change.verb == "refuse" for change in changes))


def _given(request: str) -> Mapping[str, Any]:
    path = Path(request)
    if not path.exists() and path.suffix != ".json":
        return {"datasetGroup": request}
    try:
        return {"request": json.loads(path.read_text(encoding="utf-8"))}
    except ValueError as error:
        raise OSError(f"{path} is no JSON: {error}") from error


def _print_request(request: Mapping[str, Any], remarks: Iterable[str]) -> None:
    """Print the request for a file, and the remarks beside it."""
    print(json.dumps(request, indent=2))
    for remark in remarks:
        print(remark, file=sys.stderr)
