"""No wake-up is lost: a file that arrives between any two calls of an execution is imported without a sweep."""

from functools import partial
from typing import Any

import pytest

from lambdas.gateways.table import Item
from lambdas.uploads.lease import ENTRY, Lease, Leases
from tests.lambdas.uploads.world import World, csv

KEY = "uploads/movies/interactions/{}.csv"
MOST_CALLS = 200


def deliver_all(world: World, pending: list[dict[str, Any]]) -> None:
    while pending:
        world.deliver(pending.pop())


def forgotten(rows: int) -> list[int]:
    """Let a second file arrive before each call to the table in turn; return the calls after which it is forgotten."""
    sleepless: list[int] = []
    for calls in range(MOST_CALLS):
        world = World()
        world.drop(KEY.format("monday"), csv("ann", rows=rows))
        pending = [world.upload(KEY.format("tuesday"), csv("bob"))]
        world.table.interrupt(calls, partial(deliver_all, world, pending))
        world.run()
        if pending:
            return sleepless
        if world.states_of(KEY.format("tuesday")) != ["IMPORTED"]:
            sleepless.append(calls)
    raise AssertionError(f"more than {MOST_CALLS} calls")


@pytest.mark.parametrize("rows", [1000, 10], ids=["after an import", "after too few rows"])
def test_a_file_may_arrive_at_any_moment(rows: int) -> None:
    assert forgotten(rows) == []


def test_it_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a lease that is released whatever arrived meanwhile forgets somebody."""

    def release(self: Leases, lease: Lease, outcome: str) -> bool:
        put: Item = {"outcome": outcome, "looked": lease.arrivals}
        when: Item = {"holder": lease.holder or "", "epoch": lease.epoch}
        return self._table.update(lease.name, ENTRY, put=put, remove=("holder",), when=when) is not None

    monkeypatch.setattr(Leases, "release", release)
    assert forgotten(1000)
