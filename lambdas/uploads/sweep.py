"""Sweeping: finding what events and executions have dropped."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from lambdas.bucket_layout import REQUESTS, UPLOADS
from lambdas.gateways.concurrency import each
from lambdas.gateways.s3 import Objects, StoredObject
from lambdas.uploads.claims import PUT_OFF, SHORT
from lambdas.uploads.dataset_facts import Datasets
from lambdas.uploads.import_starter import Waker
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import FileRow, Ledger
from lambdas.uploads.recorder import Recorder

# An event on its way is none of the sweep's business; an object whose settled row has expired is not new either.
_YOUNGEST: Final = timedelta(minutes=10)
_OLDEST: Final = timedelta(days=14)  # the longest that SQS keeps a message


class Swept(BaseModel):
    """What a sweep found."""

    unannounced: list[str] = []
    woken: list[str] = []


class Sweeper:
    """Looks at every recent object and at every dataset the ledger knows."""

    def __init__(
        self, ledger: Ledger, leases: Leases, objects: Objects, recorder: Recorder, waker: Waker, datasets: Datasets
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._objects = objects
        self._recorder = recorder
        self._waker = waker
        self._datasets = datasets

    def sweep(self, now: datetime) -> Swept:
        """Record objects that no event announced, and start executions where something waits and nobody works."""
        recent = [
            found
            for prefix in (UPLOADS, REQUESTS)
            for found in self._objects.current_versions(prefix)
            if _YOUNGEST <= now - found.modified <= _OLDEST
        ]
        unannounced = [found for found, known in zip(recent, each(self._is_known, recent), strict=True) if not known]
        lanes = {lane for found in unannounced if (lane := self._recorder.record_object(_row(found)))}
        for lane in lanes:
            self._waker.announce(lane)
        woken = [lane for lane in self._ledger.lanes() if self._wake(lane)]
        return Swept(unannounced=[found.key for found in unannounced], woken=sorted({*lanes, *woken}))

    def _is_known(self, found: StoredObject) -> bool:
        return self._recorder.knows(_row(found))

    def _wake(self, lane: str) -> bool:
        if self._leases.holder_of(lane):
            return False
        lease = self._leases.read(lane)
        idle = lease.holder is None and lease.batch is None
        if idle and not self._ledger.unsettled(lane):
            return False
        if idle and lease.looked == lease.arrivals:  # nothing came since
            if lease.outcome == SHORT:
                return False
            if lease.outcome == PUT_OFF and not self._datasets.is_ready(lane):
                return False
        self._waker.start(lease)
        return True


def _row(found: StoredObject) -> FileRow:
    return FileRow(
        lane="",
        key=found.key,
        version=found.version,
        versioned=found.versioned,
        sequencer="",
        size_bytes=found.size_bytes,
        arrived=found.modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
