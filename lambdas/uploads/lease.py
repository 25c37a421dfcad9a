"""Lend each name to one execution at a time, and keep beside it what the execution's work has come to.

A lease names an execution and is worth nothing once that execution runs no more; nobody has to give it back for others
to go on. Three numbers and a text travel with it:

* `epoch` grows whenever the lease is taken. Writes that carry an older epoch are refused, so a Lambda function that
  outlives its execution cannot undo what the next holder did.
* `arrivals` grows whenever something new was written down for the holder. Releasing demands that it has not grown
  since the holder last looked: what arrives between "nothing waits" and the release is never forgotten.
* `batch` is the import job that was committed to and is not settled yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lambdas.gateways.table import ABSENT, Item, Table, Value

ENTRY: Final = "lease"
# Outcomes written beside a lease: what waits was too little, or its dataset does not exist. A sweep need not start
# another execution before something has changed.
SHORT: Final = "SHORT"
PUT_OFF: Final = "PUT_OFF"
_TRIES: Final = 10


class LeaseContendedError(Exception):
    """Others took and released the lease each time it was tried; the caller should be started again."""


class LeaseLostError(Exception):
    """Another execution holds the lease now: this one was taken for dead."""


@dataclass(frozen=True)
class Lease:
    """The right of one execution to work on a dataset, as it was when it was read."""

    name: str
    holder: str | None = None
    epoch: int = 0
    arrivals: int = 0
    batch: str | None = None
    rejections: str | None = None
    outcome: str | None = None  # of the last holder that released it
    looked: int = 0  # the arrivals that this outcome is about
    ignored: int = 0  # side files that came since it was last given back
    filled: str | None = None  # when the dataset was made that is known to have been imported into


def _lease(name: str, item: Item | None) -> Lease:
    item = item or {}
    numbers = {key: int(item.get(key, 0)) for key in ("epoch", "arrivals", "looked", "ignored")}
    texts = {key: str(item[key]) for key in ("holder", "batch", "rejections", "outcome", "filled") if key in item}
    return Lease(name, **numbers, **texts)  # type: ignore[arg-type]  # the two groups of keys have one type each


class Leases:
    """All leases: takes and gives them back; asks `is_running` whether an execution that holds one is still alive."""

    def __init__(self, table: Table, is_running: Callable[[str], bool]) -> None:
        self._table = table
        self._is_running = is_running

    def read(self, name: str) -> Lease:
        """Return the lease as it is, held by any execution or none."""
        return _lease(name, self._table.get(name, ENTRY))

    def is_alive(self, lease: Lease) -> bool:
        """Say whether the lease's holder still runs."""
        return lease.holder is not None and self._is_running(lease.holder)

    def holder_of(self, name: str) -> str | None:
        """Return the execution that holds the lease and still runs."""
        lease = self.read(name)
        return lease.holder if self.is_alive(lease) else None

    def take(self, name: str, execution: str, *, urgent: bool = False) -> Lease:
        """Take the lease unless a running execution has it; the result's `holder` tells who has it now.

        Who is urgent takes it from a running execution too, as long as that one has not committed to a batch: the
        epoch refuses whatever it writes afterwards.
        """
        for _ in range(_TRIES):
            lease = self.read(name)
            holds_on = lease.batch is not None or not urgent
            if lease.holder == execution or (lease.holder and holds_on and self._is_running(lease.holder)):
                return lease
            taken = self._table.update(
                name,
                ENTRY,
                put={"holder": execution},
                add={"epoch": 1},
                when={
                    "holder": lease.holder or ABSENT,
                    "epoch": lease.epoch or (ABSENT, 0),
                    "batch": lease.batch or ABSENT,
                },
            )
            if taken:
                return _lease(name, taken)
        raise LeaseContendedError(f"the lease on {name} changed hands {_TRIES} times while it was asked for")

    def announce(self, name: str) -> Lease:
        """Say that something new was written down for the lease's holder of now or of later."""
        return _lease(name, self._table.update(name, ENTRY, add={"arrivals": 1}))

    def count_ignored(self, name: str) -> None:
        """Count a side file, for the next execution to tell of."""
        self._table.update(name, ENTRY, add={"ignored": 1})

    def keep(self, lease: Lease, put: Mapping[str, Value], remove: tuple[str, ...] = ()) -> Lease:
        """Write something beside a lease that is still ours."""
        mine = {"holder": lease.holder or ABSENT, "epoch": lease.epoch}
        kept = self._table.update(lease.name, ENTRY, put=put, remove=remove, when=mine)
        if kept is None:
            raise LeaseLostError(f"{lease.holder} does not hold the lease on {lease.name} any more")
        return _lease(lease.name, kept)

    def release(self, lease: Lease, outcome: str) -> bool:
        """Give the lease back if nothing arrived since it was read; False means: look again.

        Rejections are handed over with it: the caller has them in `lease` and is the one to report them.
        """
        released = self._table.update(
            lease.name,
            ENTRY,
            put={"outcome": outcome, "looked": lease.arrivals},
            remove=("holder", "rejections", "ignored"),
            when={
                "holder": lease.holder or ABSENT,
                "epoch": lease.epoch,
                "arrivals": lease.arrivals or (ABSENT, 0),
            },
        )
        return released is not None

    def give_up(self, name: str, execution: str) -> None:
        """Give the lease back whatever arrived; a batch that is not settled stays for the next holder."""
        self._table.update(name, ENTRY, remove=("holder", "rejections"), when={"holder": execution})

    def skip_epoch(self, lease: Lease) -> Lease:
        """Move on from an epoch whose execution ended without taking the lease."""
        when = {"holder": lease.holder or ABSENT, "epoch": lease.epoch or (ABSENT, 0)}
        skipped = self._table.update(lease.name, ENTRY, add={"epoch": 1}, when=when)
        return _lease(lease.name, skipped) if skipped else self.read(lease.name)
