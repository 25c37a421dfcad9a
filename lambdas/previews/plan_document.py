"""Write a plan down as a document: for programs, and for whoever looks at the first state of a run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lambdas.costs.estimates import CostTotal, total_cost
from lambdas.costs.price_table import PriceTable
from lambdas.names import cut_bytes
from lambdas.previews.planned_change import LEAVE, PlannedChange

_LONGEST_REASON_BYTES: Final = 300


@dataclass(frozen=True)
class PlanTotal:
    """What all changes of a plan come to: the hours of its jobs one after the other, and the money."""

    hours: float
    cost: CostTotal


def plan_total(changes: Sequence[PlannedChange]) -> PlanTotal:
    """Return what all changes come to."""
    return PlanTotal(sum(change.hours for change in changes), total_cost(change.estimate for change in changes))


def plan_document(changes: Sequence[PlannedChange], prices: PriceTable) -> dict[str, Any]:
    """Return the changes with their hours and costs, and what they come to."""
    total = plan_total(changes)
    return {
        "changes": [change_document(change) for change in changes],
        "total": {
            "hours": round(total.hours, 2),
            "once": round(total.cost.once, 2),
            "monthly": round(total.cost.monthly, 2),
            "unknown": total.cost.unknown,
            "verified": total.cost.verified,
        },
        "prices": {key: str(getattr(prices, key)) for key in ("date", "region", "currency", "source")},
    }


def change_document(change: PlannedChange) -> dict[str, Any]:
    """Return one change. A cost that nobody can say beforehand is null, and `basis` has the price."""
    told = {"verb": change.verb, "type": change.noun, "name": change.name, "reason": change.reason}
    estimate = change.estimate
    if estimate.is_free:
        return {**told, "hours": round(change.hours, 2)}
    once, monthly = (None if amount is None else round(amount, 2) for amount in (estimate.once, estimate.monthly))
    cost = {"once": once, "monthly": monthly, "basis": estimate.basis, "verified": estimate.verified}
    return {**told, "hours": round(change.hours, 2), **cost}


def bounded_plan(changes: Sequence[PlannedChange], prices: PriceTable, most_bytes: int) -> dict[str, Any]:
    """Return the document of what changes in at most so many bytes of JSON.

    Long reasons are cut, and changes left out of the end: `note` says how many. The total counts all of them.
    """
    changing = [change for change in changes if change.verb != LEAVE]
    document = {**plan_document(changing, prices), "left": len(changes) - len(changing), "note": ""}
    told = [{**one, "reason": _cut(one["reason"])} for one in document["changes"]]
    fitting, room = 0, most_bytes - _size({**document, "changes": [], "note": _left_out(len(told))})
    for one in told:
        room -= _size(one) + 2  # a comma and a blank between two
        if room < 0:
            break
        fitting += 1
    note = _left_out(len(told) - fitting) if fitting < len(told) else ""
    return {**document, "changes": told[:fitting], "note": note}


def _left_out(count: int) -> str:
    return f"{count} more changes are not shown here; `python -m control plan` tells all"


def _cut(text: str) -> str:
    return text if len(text.encode()) <= _LONGEST_REASON_BYTES else f"{cut_bytes(text, _LONGEST_REASON_BYTES)}…"


def _size(value: Any) -> int:
    return len(json.dumps(value))
