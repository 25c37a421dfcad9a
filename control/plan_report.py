"""Tell a plan in lines: what becomes of each resource, in which time, for which money."""

from collections.abc import Iterator, Sequence
from typing import Final

from lambdas.costs.estimates import Estimate
from lambdas.costs.price_table import PriceTable
from lambdas.previews.plan_document import plan_total
from lambdas.previews.planned_change import LEAVE, PlannedChange

NOTHING_TO_DO: Final = "nothing to do: everything is as the request says"
_CENT: Final = 0.01


def plan_lines(
    changes: Sequence[PlannedChange], prices: PriceTable, *, region: str = "", everything: bool = False
) -> Iterator[str]:
    """Yield a line for each change, and what they come to; what stays as it is only when everything is asked for."""
    shown = [change for change in changes if everything or change.verb != LEAVE]
    yield from map(_line, shown)
    if all(change.verb == LEAVE for change in changes):
        yield NOTHING_TO_DO
    elif any(change.hours or not change.estimate.is_free for change in changes):
        yield from _total(changes, prices, region)


def _line(change: PlannedChange) -> str:
    what = f"{change.verb:8} {change.noun.replace('_', ' ')} {change.name}"
    hours = [f"about {change.hours:.1f} hours"] if change.hours else []
    takes = ", ".join([*hours, *_money(change.estimate)])
    told = f"{what}: {change.reason}" if change.reason else what
    return f"{told} ({takes})" if takes else told


def _money(estimate: Estimate) -> Iterator[str]:
    if estimate.is_free:
        return
    doubt = "" if estimate.verified else ", unverified"
    if estimate.once is None or estimate.monthly is None:
        yield f"at {estimate.basis}{doubt}"
        return
    if estimate.once:
        yield f"{amount_text(estimate.once)}{doubt}"
    if estimate.monthly:
        yield f"{amount_text(estimate.monthly)} a month{doubt}"


def _total(changes: Sequence[PlannedChange], prices: PriceTable, region: str) -> Iterator[str]:
    total = plan_total(changes)
    cost = total.cost
    unknown = f", and {cost.unknown} of unknown cost" if cost.unknown else ""
    money = f"{amount_text(cost.once)} once, {amount_text(cost.monthly)} a month to keep it, with no request{unknown}"
    yield f"in total: about {total.hours:.1f} hours of jobs, {money}"
    elsewhere = f"; this is {region}, where they may differ" if region and region != prices.region else ""
    doubt = "" if cost.verified else "; some are unverified"
    yield f"{prices}{doubt}{elsewhere}"


def amount_text(amount: float) -> str:
    """Return an amount of money as it is told."""
    sign = "-" if amount < 0 else ""
    return f"{sign}less than $0.01" if 0 < abs(amount) < _CENT else f"{sign}${abs(amount):,.2f}"
