"""Claiming: who looks after a dataset now, and what is to be done for it next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lambdas.file_checks.rejections import Rejection, Rejections
from lambdas.gateways.concurrency import each
from lambdas.uploads.dataset_facts import DatasetFacts, Datasets, MissingDatasetError
from lambdas.uploads.import_selection import Choice, choose, too_large
from lambdas.uploads.import_state import Batch, Errand, Outcome, Phase, Work
from lambdas.uploads.lease import Lease, LeaseLostError, Leases
from lambdas.uploads.ledger import FileRow, Ledger, State

# Outcomes written beside a lease: what waits was too little, or its dataset does not exist. A sweep need not start
# another execution before something has changed.
SHORT: Final = "SHORT"
PUT_OFF: Final = "PUT_OFF"


@dataclass(frozen=True)
class Look:
    """What is to be done for a dataset, the lease it was decided under, and the import that was chosen."""

    work: Work
    lease: Lease
    choice: Choice | None = None


class Claims:
    """Decides the next step of an execution of `import_uploads`. Only the holder of the lease changes anything."""

    def __init__(self, ledger: Ledger, leases: Leases) -> None:
        self._ledger = ledger
        self._leases = leases

    def claim(self, errand: Errand, datasets: Datasets) -> Work:
        """Take the dataset's lease and look what is to be done; attach to the job of a holder that is alive."""
        lease = self._leases.take(errand.lane, errand.execution, urgent=errand.urgent)
        if lease.holder != errand.execution:
            return _join(errand.work, lease)
        try:
            facts = datasets.facts(errand.datasetGroup, errand.dataset)
        except MissingDatasetError as error:
            return self._put_off(errand, lease, str(error))
        return self.look(errand.model_copy(update={"work": errand.work.model_copy(update={"facts": facts})}))

    def unless_lost(self, errand: Errand, step: Callable[[], Work]) -> Work:
        """Return what a step answers; if the lease was taken from us meanwhile, what to do without it."""
        try:
            return step()
        except LeaseLostError:
            return self.look(errand)

    def look(self, errand: Errand) -> Work:
        """Return the next step for what waits; give the lease back when there is none."""
        return self.look_closely(errand).work

    def look_closely(self, errand: Errand) -> Look:
        """Return the next step, and with the phase STAGE what is to be staged."""
        while True:
            lease = self._leases.read(errand.lane)
            if lease.holder != errand.execution:
                return Look(_join(errand.work, lease), lease)
            look = self._look(errand, lease)
            if look.work.phase not in {Phase.FINISHED, Phase.REJECTED}:
                return look
            if self._leases.release(lease, SHORT if look.work.short else look.work.outcome):
                return look

    def waiting(self, errand: Errand, lease: Lease) -> list[FileRow]:
        """Return the files that wait, the newest version of each; older ones are settled as superseded.

        A file that was claimed for a batch nobody committed to waits still: its claimer died before it mattered.
        """
        rows = self._ledger.unsettled(errand.lane)
        newest: dict[str, FileRow] = {}
        for row in rows:
            if row.key not in newest or row.is_newer_than(newest[row.key]):
                newest[row.key] = row
        self.supersede(
            [row for row in rows if newest[row.key] is not row],
            errand.time,
            lease,
            "overwritten by a newer version before it was imported",
        )
        return [row for row in rows if newest[row.key] is row]

    def supersede(self, rows: Sequence[FileRow], time: str, lease: Lease, reason: str) -> None:
        """Settle files that need no import any more."""
        each(lambda row: self._ledger.settle(row, State.SUPERSEDED, time, epoch=lease.epoch, reason=reason), rows)

    def reject(self, rejected: Sequence[tuple[FileRow, str]], time: str, lease: Lease) -> Lease:
        """Settle files that cannot be imported, and remember them for the end of the execution."""
        if not rejected:
            return lease
        new = [Rejection(key=row.key, reason=reason) for row, reason in rejected]
        # Noted first: an execution that dies in between leaves the files waiting, to be rejected again.
        noted = Rejections.read(lease.rejections).plus(new)
        lease = self._leases.keep(lease, {"rejections": noted.model_dump_json()})
        for row, reason in rejected:
            self._ledger.settle(row, State.REJECTED, time, epoch=lease.epoch, reason=reason)
        return lease

    def _look(self, errand: Errand, lease: Lease) -> Look:
        facts = errand.work.facts
        assert facts is not None  # noqa: S101 -- whoever holds the lease asked for them first
        if lease.batch:
            batch = Batch.model_validate_json(lease.batch)
            told: dict[str, Any] = {"phase": Phase.IMPORT, "batch": batch, "mine": True}
            return Look(errand.work.model_copy(update=told), lease)
        rows = self.waiting(errand, lease)
        if any(not row.inspected for row in rows):
            return Look(errand.work.model_copy(update={"phase": Phase.INSPECT}), lease)
        chosen = choose(self._without_giants(errand, lease, rows, facts), errand.dataset, filled=facts.filled)
        if isinstance(chosen, Choice):
            return Look(errand.work.model_copy(update={"phase": Phase.STAGE}), lease, chosen)
        return Look(_finish(errand.work, self._leases.read(errand.lane), str(chosen or "")), lease)

    def _without_giants(
        self, errand: Errand, lease: Lease, rows: Sequence[FileRow], facts: DatasetFacts
    ) -> Sequence[FileRow]:
        """Return the files that an import can take, having rejected the others."""
        giants = too_large(rows, filled=facts.filled)
        advice = "larger than one import takes (1 GB when it adds, 100 GB when it replaces): split it"
        self.reject([(row, f"{row.size_bytes:,} bytes are {advice}") for row in giants], errand.time, lease)
        return [row for row in rows if row not in giants] if giants else rows

    def _put_off(self, errand: Errand, lease: Lease, why: str) -> Work:
        while True:
            rows = self._ledger.unsettled(errand.lane)
            outcome: Outcome = "WAITING" if rows else "NOTHING"
            if self._leases.release(lease, PUT_OFF):
                message = f"{why}; {len(rows)} file(s) wait for it"
                return errand.work.model_copy(update={"phase": Phase.FINISHED, "outcome": outcome, "message": message})
            lease = self._leases.read(errand.lane)
            if lease.holder != errand.execution:
                return _join(errand.work, lease)


def _join(work: Work, lease: Lease) -> Work:
    """Return what to do while somebody else holds the lease: wait for the job under way, once."""
    if lease.batch and not work.jobs:
        batch = Batch.model_validate_json(lease.batch)
        return work.model_copy(update={"phase": Phase.IMPORT, "batch": batch, "mine": False})
    outcome: Outcome = "IMPORTED" if work.jobs else "BUSY"
    message = f"{lease.holder or 'another execution'} looks after this dataset and what waits for it"
    return work.model_copy(update={"phase": Phase.FINISHED, "batch": None, "outcome": outcome, "message": message})


def _finish(work: Work, lease: Lease, shortage: str) -> Work:
    rejections = Rejections.read(lease.rejections)
    imported = f"{work.rows} rows imported in {len(work.jobs)} job(s)" if work.jobs else ""
    outcome: Outcome = "IMPORTED" if work.jobs else "WAITING" if shortage else "NOTHING"
    message = "; ".join(filter(None, [imported, shortage])) or "nothing waits"
    told: dict[str, Any] = {"short": bool(shortage), "outcome": outcome, "message": message}
    if rejections.count:
        summary = f"{rejections.count} file(s) were not imported. {rejections}. Reports are below rejected/."
        return work.model_copy(update={**told, "phase": Phase.REJECTED, "error": "UploadRejected", "cause": summary})
    return work.model_copy(update={**told, "phase": Phase.FINISHED})
