"""Work on requests: export one of what exists, convert one, plan what a run of one would do."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from control import printing
from control.commands.options import AsJson, GroupName, RefusedError, connection_of
from control.conversion import NoConfigurationError
from control.conversion import convert as convert_configuration
from control.group_export import export_group
from control.plan_report import plan_lines
from control.requested_parts import add_requested
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import DEFAULT_PRICES, load_prices
from lambdas.previews.added_spending import budget_problems, budget_refusals
from lambdas.previews.plan_document import plan_document
from lambdas.previews.planned_change import LEAVE, REFUSE
from lambdas.previews.preview import Preview
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import check_request
from lambdas.requests.request_reading import load_request, parse_request

_RUN: Final = "the-next-run"

Prices = Annotated[Path, typer.Option(help="your price table (default: that of us-east-1)")]


def export(context: typer.Context, group: GroupName) -> None:
    """Write the request for a dataset group that exists: running it changes nothing."""
    connection = connection_of(context)
    exported = export_group(connection.personalize, group)
    if connection.is_deployed:
        add_requested(exported, connection.account, connection.objects, connection.schedules)
    _print_request(exported.request, exported.remarks)


def convert(
    file: Annotated[Path, typer.Argument(help="the configuration file", exists=True, dir_okay=False)],
) -> None:
    """Turn a configuration of AWS's retired solution into a request."""
    try:
        configuration = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoConfigurationError(f"{file} is no JSON: {error}") from error
    converted = convert_configuration(configuration)
    _print_request(converted.request, converted.remarks)
    parse_request(converted.request)  # what our own model refuses is told, after what there is


def plan(
    context: typer.Context,
    request: Annotated[str, typer.Argument(help="a file, or the name of a group whose request is in the bucket")],
    everything: Annotated[bool, typer.Option("--all", help="also what stays as it is")] = False,
    as_json: AsJson = False,
    prices: Prices = DEFAULT_PRICES,
) -> None:
    """Say what a run of a request would do and cost, before anything is done; 1 when something is refused."""
    connection = connection_of(context)
    wanted = load_request(_given(request), connection.objects.text)
    planner = Planner(wanted, _RUN, connection.account)
    check_request(planner, connection.personalize)
    group, costs, now = wanted.dataset_group.name, CostEstimator(load_prices(prices)), connection.now()
    preview = Preview(
        planner,
        connection.personalize,
        connection.unwritten_releases(group),
        now,
        connection.data(group, list(wanted.datasets)),
        lambda prefix: next(iter(connection.objects.keys(prefix)), None) is not None,
        connection.counts,
        costs,
        connection.schedules,
    )
    changes = preview.changes()
    changes += budget_refusals(budget_problems(planner, connection.personalize, changes, costs, now))
    if as_json:
        shown = changes if everything else [change for change in changes if change.verb != LEAVE]
        printing.document(plan_document(shown, costs.prices))
    else:
        region = connection.personalize.arn_prefix.split(":")[3]
        for line in plan_lines(changes, costs.prices, region=region, everything=everything):
            printing.say(line)
    if any(change.verb == REFUSE for change in changes):
        raise typer.Exit(1)


def _given(request: str) -> Mapping[str, Any]:
    path = Path(request)
    if not path.exists() and path.suffix != ".json":
        return {"datasetGroup": request}
    try:
        return {"request": json.loads(path.read_text(encoding="utf-8"))}
    except ValueError as error:
        raise RefusedError(f"{path} is no JSON: {error}") from error


def _print_request(request: Mapping[str, Any], remarks: Iterable[str]) -> None:
    """Print the request for a file, and the remarks beside it."""
    printing.document(request)
    for text in remarks:
        printing.remark(text)


COMMANDS: Final[dict[str, Callable[..., None]]] = {"export": export, "convert": convert, "plan": plan}
