"""Ask what a group costs."""

from collections.abc import Callable
from typing import Annotated, Final

import typer

from control import printing
from control.commands.options import AsJson, connection_of
from control.commands.requests import Prices
from control.cost_report import IDLE_HOURS, cost_document, cost_lines, cost_report, group_names
from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import DEFAULT_PRICES, load_prices


def cost(
    context: typer.Context,
    group: Annotated[str | None, typer.Argument(help="the dataset group; without it all of the account")] = None,
    idle_hours: Annotated[float, typer.Option(min=1, help="what was not asked for so long is idle")] = IDLE_HOURS,
    as_json: AsJson = False,
    prices: Prices = DEFAULT_PRICES,
) -> None:
    """Say what a group costs every month, what trainings cost, and what serves nobody."""
    connection, costs = connection_of(context), CostEstimator(load_prices(prices))
    now = connection.now()
    names = [group] if group else group_names(connection.personalize)
    reports = [cost_report(connection.personalize, connection.counts, costs, name, now, idle_hours) for name in names]
    if as_json:
        printing.document([cost_document(report, costs) for report in reports])
        return
    for report in reports:
        for line in cost_lines(report, costs):
            printing.say(line)
    if not reports:
        printing.say("there is no dataset group: nothing bills")


COMMANDS: Final[dict[str, Callable[..., None]]] = {"cost": cost}
