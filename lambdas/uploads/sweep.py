"""Find what events and executions have dropped, and start what looks after it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from lambdas.bucket_layout import WATCHED
from lambdas.gateways.concurrency import each_named
from lambdas.gateways.s3 import Marker, Objects, StoredObject
from lambdas.gateways.table import ABSENT, AtMost, Table
from lambdas.personalize.gateway import Personalize
from lambdas.uploads.dataset_facts import is_ready
from lambdas.uploads.import_starter import ImportStarter
from lambdas.uploads.lease import PUT_OFF, SHORT, Leases
from lambdas.uploads.ledger import Ledger, Waiting
from lambdas.uploads.recorder import Recorder
from lambdas.uploads.records.file_row import FileRow

# An event on its way is none of the sweep's business; an object whose settled row has expired is not new either.
_YOUNGEST: Final = timedelta(minutes=10)
_OLDEST: Final = timedelta(days=14)  # the longest that SQS keeps a message

_SHOWN: Final = 5  # troubles in an error's text
_SWEEPS: Final = "sweeps"  # the partition that keeps the sweep's lock and its cursors
_LONGEST: Final = timedelta(minutes=15)  # a sweep that has not let go by then is dead: so long may its function run


class Swept(BaseModel):
    """What a sweep found, and what it started; `ran` is False when another one was under way."""

    ran: bool = True
    unannounced: list[str] = []
    woken: list[str] = []
    troubles: list[str] = []  # what could not be looked after, one sentence each; everything else was


class SweepIncompleteError(Exception):
    """Something could not be looked after; the rest was, and the next sweeps try again."""

    def __init__(self, troubles: Sequence[str]) -> None:
        super().__init__(f"{len(troubles)} thing(s) could not be looked after: {'; '.join(troubles[:_SHOWN])}")


class Cursors:
    """Remembers how far the sweeps have come below each watched prefix, and lets one sweep run at a time."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, now: datetime) -> bool:
        """Begin a sweep, unless another one is under way."""
        until, free = int((now + _LONGEST).timestamp()), (ABSENT, AtMost(int(now.timestamp())))
        return self._table.update(_SWEEPS, "lock", put={"until": until}, when={"until": free}) is not None

    def let_go(self) -> None:
        """End the sweep."""
        self._table.delete(_SWEEPS, "lock")

    def read(self, prefix: str) -> Marker | None:
        """Return where the next page begins; None at the beginning."""
        item = self._table.get(_SWEEPS, prefix)
        return Marker(str(item["key"]), str(item["version"])) if item else None

    def write(self, prefix: str, marker: Marker | None) -> None:
        """Remember where the next page begins."""
        if marker is None:
            self._table.delete(_SWEEPS, prefix)
        else:
            self._table.update(_SWEEPS, prefix, put={"key": marker.key, "version": marker.version})


class Sweeper:
    """Looks at every dataset the ledger knows, and at a page of the bucket's objects.

    A sweep costs the same whatever was settled before: a thousand versions below each watched prefix, compared with the
    ledger in the order that both keep them in. The next sweep goes on behind them, and begins again at the end. Only a
    recent request or batch input costs a call of its own.
    """

    def __init__(
        self, ledger: Ledger, leases: Leases, objects: Objects, recorder: Recorder, starter: ImportStarter,
        cursors: Cursors,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._leases = leases
        self._objects = objects
        self._recorder = recorder
        self._starter = starter
        self._cursors = cursors

    def sweep(self, now: datetime, personalize: Personalize) -> Swept:
        """Start executions where something waits and nobody works; then record objects that no event announced."""
        if not self._cursors.take(now):
            return Swept(ran=False)
        try:
            return self._sweep(now, personalize)
        finally:
            self._cursors.let_go()

    def waiting(self) -> Waiting:
        """Return how much waits in all datasets."""
        keys = {dataset_key: dataset_key for dataset_key in self._ledger.dataset_keys()}
        found, _ = each_named(self._ledger.waiting, keys)
        oldest = min((one.oldest for one in found.values() if one.oldest), default=None)
        return Waiting(sum(one.files for one in found.values()), sum(one.rows for one in found.values()), oldest)

    def _sweep(self, now: datetime, personalize: Personalize) -> Swept:
        known = {dataset_key: dataset_key for dataset_key in self._ledger.dataset_keys()}
        outcomes, troubles = each_named(lambda dataset_key: self._wake(dataset_key, personalize), known)
        woken = {dataset_key for dataset_key, was_woken in outcomes.items() if was_woken}
        unannounced: list[str] = []
        for prefix in WATCHED:
            pages, broken = each_named(lambda prefix: self._look_at_a_page(prefix, now), {prefix: prefix})
            for found, announced, failed in pages.values():
                unannounced += found
                woken |= announced
                troubles += failed
            troubles += broken
        return Swept(unannounced=unannounced, woken=sorted(woken), troubles=troubles)

    def _look_at_a_page(self, prefix: str, now: datetime) -> tuple[list[str], set[str], list[str]]:
        """Return the keys that no event announced, their datasets, and what went wrong with single ones."""
        page, marker = self._objects.page_of_versions(prefix, self._cursors.read(prefix))
        recent = {one.key: _row(one) for one in page if _YOUNGEST <= now - one.modified <= _OLDEST}
        unknown, troubles = self._unknown(recent)
        recorded, failed = each_named(self._recorder.record_object, {row.key: row for row in unknown})
        dataset_keys = {key for key in recorded.values() if key}
        _, unstarted = each_named(self._starter.announce, {key: key for key in sorted(dataset_keys)})
        # Now that all is written down that can be. What cannot holds nobody up, and is tried again in the next round.
        self._cursors.write(prefix, marker)
        return list(recorded), dataset_keys, [*troubles, *failed, *unstarted]

    def _unknown(self, recent: Mapping[str, FileRow]) -> tuple[list[FileRow], list[str]]:
        rows = {key: filed for key, row in recent.items() if (filed := self._recorder.filed(row))}
        started, troubles = each_named(self._recorder.has_started, rows)
        neighbours: dict[str, list[FileRow]] = defaultdict(list)
        for key, was_started in started.items():
            if was_started is None:
                neighbours[rows[key].dataset_key].append(rows[key])
        found, failed = each_named(self._ledger.unknown, neighbours)
        unknown = [row for group in found.values() for row in group]
        unknown += [rows[key] for key, was_started in started.items() if was_started is False]
        return unknown, [*troubles, *failed]

    def _wake(self, dataset_key: str, personalize: Personalize) -> bool:
        lease = self._leases.read(dataset_key)
        if self._leases.is_alive(lease):
            return False
        idle = lease.holder is None and lease.batch is None
        if idle and not self._ledger.has_unsettled(dataset_key):
            return False
        if idle and lease.looked == lease.arrivals:  # nothing came since
            if lease.outcome == SHORT:
                return False
            if lease.outcome == PUT_OFF and not is_ready(personalize, dataset_key):
                return False
        self._starter.start(lease)
        return True


def _row(stored: StoredObject) -> FileRow:
    return FileRow(
        dataset_key="",
        key=stored.key,
        version=stored.version,
        versioned=stored.versioned,
        sequencer="",
        size_bytes=stored.size_bytes,
        arrived=stored.modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
