"""Find what events and executions have dropped, and start what looks after it."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from lambdas.bucket_layout import WATCHED
from lambdas.gateways.concurrency import each
from lambdas.gateways.s3 import Objects, StoredObject
from lambdas.personalize.gateway import Personalize
from lambdas.uploads.claims import PUT_OFF, SHORT
from lambdas.uploads.dataset_facts import is_ready
from lambdas.uploads.import_starter import ImportStarter
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import FileRow, Ledger
from lambdas.uploads.recorder import Recorder

# An event on its way is none of the sweep's business; an object whose settled row has expired is not new either.
_YOUNGEST: Final = timedelta(minutes=10)
_OLDEST: Final = timedelta(days=14)  # the longest that SQS keeps a message


class Swept(BaseModel):
    """What a sweep found, and what it started."""

    unannounced: list[str] = []
    woken: list[str] = []


class Sweeper:
    """Looks at every recent object and at every dataset the ledger knows."""

    def __init__(
        self,
        ledger: Ledger,
        leases: Leases,
        objects: Objects,
        recorder: Recorder,
        starter: ImportStarter,
        personalize: Personalize,
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._objects = objects
        self._recorder = recorder
        self._starter = starter
        self._personalize = personalize

    def sweep(self, now: datetime) -> Swept:
        """Record objects that no event announced, and start executions where something waits and nobody works."""
        recent = [
            found
            for prefix in WATCHED
            for found in self._objects.current_versions(prefix)
            if _YOUNGEST <= now - found.modified <= _OLDEST
        ]
        unannounced = [found for found, known in zip(recent, each(self._is_known, recent), strict=True) if not known]
        dataset_keys = {
            dataset_key for found in unannounced if (dataset_key := self._recorder.record_object(_row(found)))
        }
        for dataset_key in dataset_keys:
            self._starter.announce(dataset_key)
        woken = [dataset_key for dataset_key in self._ledger.dataset_keys() if self._wake(dataset_key)]
        return Swept(unannounced=[found.key for found in unannounced], woken=sorted({*dataset_keys, *woken}))

    def _is_known(self, found: StoredObject) -> bool:
        return self._recorder.knows(_row(found))

    def _wake(self, dataset_key: str) -> bool:
        if self._leases.holder_of(dataset_key):
            return False
        lease = self._leases.read(dataset_key)
        idle = lease.holder is None and lease.batch is None
        if idle and not self._ledger.unsettled(dataset_key):
            return False
        if idle and lease.looked == lease.arrivals:  # nothing came since
            if lease.outcome == SHORT:
                return False
            if lease.outcome == PUT_OFF and not is_ready(self._personalize, dataset_key):
                return False
        self._starter.start(lease)
        return True


def _row(found: StoredObject) -> FileRow:
    return FileRow(
        dataset_key="",
        key=found.key,
        version=found.version,
        versioned=found.versioned,
        sequencer="",
        size_bytes=found.size_bytes,
        arrived=found.modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
