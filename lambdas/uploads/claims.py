"""Decide who looks after a dataset now, and what is to be done for it next."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from lambdas.gateways.concurrency import each
from lambdas.personalize.gateway import Personalize
from lambdas.uploads.dataset_facts import DatasetFacts, MissingDatasetError, dataset_facts
from lambdas.uploads.import_selection import ImportSelection, select_import, too_large
from lambdas.uploads.import_state import Batch, ImportState, ImportStepInput, NextStep, Outcome, Rejection, Rejections
from lambdas.uploads.lease import PUT_OFF, SHORT, Lease, LeaseLostError, Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, FileState


@dataclass(frozen=True)
class ClaimDecision:
    """What is to be done for a dataset, the lease it was decided under, and the import that was chosen."""

    state: ImportState
    lease: Lease
    selection: ImportSelection | None = None


class Claims:
    """Decides the next step of an execution of `import_uploads`. Only the holder of the lease changes anything."""

    def __init__(self, ledger: Ledger, leases: Leases) -> None:
        self._ledger = ledger
        self._leases = leases

    def claim(self, step: ImportStepInput, personalize: Personalize) -> ImportState:
        """Take the dataset's lease and look what is to be done; attach to the job of a holder that is alive."""
        lease = self._leases.take(step.dataset_key, step.execution, urgent=step.urgent)
        if lease.holder != step.execution:
            return _join(step.state, lease)
        try:
            facts = dataset_facts(personalize, step.datasetGroup, step.dataset, lease.filled)
        except MissingDatasetError as error:
            return self._put_off(step, lease, str(error))
        if facts.filled and lease.filled != facts.created:
            with suppress(LeaseLostError):  # which the next step finds out
                self._leases.keep(lease, {"filled": facts.created})
        known: dict[str, Any] = {"facts": facts}
        if not step.state.started:
            known |= {"started": step.time, "until": self._end_of_queue(step) if step.urgent else ""}
        return self.next_step(step.model_copy(update={"state": step.state.model_copy(update=known)}))

    def _end_of_queue(self, step: ImportStepInput) -> str:
        """Return the place of the newest file: what a pipeline trains without waiting for whatever keeps arriving."""
        return max((row.queue_position for row in self._ledger.unsettled(step.dataset_key)), default="")

    def unless_lost(self, step: ImportStepInput, act: Callable[[], ImportState]) -> ImportState:
        """Return what a step answers; if the lease was taken from us meanwhile, what to do without it."""
        try:
            return act()
        except LeaseLostError:
            return self.next_step(step)

    def next_step(self, step: ImportStepInput) -> ImportState:
        """Return the next step for what waits; give the lease back when there is none."""
        return self.decide(step).state

    def decide(self, step: ImportStepInput) -> ClaimDecision:
        """Return the next step, and with the next step STAGE what is to be staged."""
        while True:
            lease = self._leases.read(step.dataset_key)
            if lease.holder != step.execution:
                return ClaimDecision(_join(step.state, lease), lease)
            decision = self._decide(step, lease)
            if decision.state.next_step not in {NextStep.FINISHED, NextStep.REJECTED}:
                return decision
            if self._leases.release(lease, SHORT if decision.state.short else decision.state.outcome):
                return decision

    def is_over(self, step: ImportStepInput, lease: Lease) -> bool:
        """Say whether what waits now is for another execution: this one has done enough, or all that it was asked."""
        places = [row.queue_position for row in self.waiting(step, lease)]
        if not places:
            return False
        return step.state.is_spent(step.time) or bool(step.state.until and min(places) > step.state.until)

    def hand_over(self, step: ImportStepInput, lease: Lease) -> ImportState:
        """End the execution with what it has done, and give the lease back although files wait."""
        state = _finish(step.state, lease, "")
        self._leases.give_up(step.dataset_key, step.execution)
        left = "what came later is left to the next execution"
        return state.model_copy(update={"message": f"{state.message}; {left}"})

    def waiting(self, step: ImportStepInput, lease: Lease) -> list[FileRow]:
        """Return the files that wait and may be tried now, the newest version of each; older ones are superseded.

        A file that was claimed for a batch nobody committed to waits still: its claimer died before it mattered.
        """
        rows = self._ledger.unsettled(step.dataset_key)
        newest: dict[str, FileRow] = {}
        for row in rows:
            if row.key not in newest or row.is_newer_than(newest[row.key]):
                newest[row.key] = row
        self.supersede(
            [row for row in rows if newest[row.key] is not row],
            step.time,
            lease,
            "overwritten by a newer version before it was imported",
        )
        return [row for row in rows if newest[row.key] is row and row.not_before <= step.time]

    def supersede(self, rows: Sequence[FileRow], time: str, lease: Lease, reason: str) -> None:
        """Settle files that need no import any more."""
        each(lambda row: self._ledger.settle(row, FileState.SUPERSEDED, time, epoch=lease.epoch, reason=reason), rows)

    def reject(self, rejected: Sequence[tuple[FileRow, str]], time: str, lease: Lease) -> Lease:
        """Settle files that cannot be imported, and return the lease with what is remembered for the execution's end.

        Its arrivals stay those of the caller's lease: who releases must not have missed what came since.
        """
        if not rejected:
            return lease
        new = [Rejection(key=row.key, reason=reason) for row, reason in rejected]
        # Noted first: an execution that dies in between leaves the files waiting, to be rejected again.
        noted = Rejections.read(lease.rejections).plus(new)
        kept = self._leases.keep(lease, {"rejections": noted.model_dump_json()})
        for row, reason in rejected:
            self._ledger.settle(row, FileState.REJECTED, time, epoch=lease.epoch, reason=reason)
        return replace(lease, rejections=kept.rejections)

    def _decide(self, step: ImportStepInput, lease: Lease) -> ClaimDecision:
        facts = step.state.facts
        assert facts is not None  # noqa: S101 -- the holder of the lease asked for them first
        if lease.batch:
            batch = Batch.model_validate_json(lease.batch)
            changes: dict[str, Any] = {"next_step": NextStep.IMPORT, "batch": batch, "mine": True}
            return ClaimDecision(step.state.model_copy(update=changes), lease)
        rows = self.waiting(step, lease)
        # Up to the first that nobody has looked into: who waits for all of them never imports while files keep coming.
        inspected = list(takewhile(lambda row: row.inspected, rows))
        lease, fitting = self.without_giants(step, lease, inspected, facts)
        chosen = select_import(fitting, step.dataset, filled=facts.filled)
        if isinstance(chosen, ImportSelection):
            return ClaimDecision(step.state.model_copy(update={"next_step": NextStep.STAGE}), lease, chosen)
        if len(inspected) < len(rows):
            return ClaimDecision(step.state.model_copy(update={"next_step": NextStep.INSPECT}), lease)
        return ClaimDecision(_finish(step.state, lease, str(chosen or "")), lease)

    def without_giants(
        self, step: ImportStepInput, lease: Lease, rows: Sequence[FileRow], facts: DatasetFacts
    ) -> tuple[Lease, Sequence[FileRow]]:
        """Return the files that an import can take, having rejected the others, and the lease with what was noted."""
        giants = too_large(rows, filled=facts.filled)
        advice = "larger than one import takes (1 GB when it adds, 100 GB when it replaces): split it"
        lease = self.reject([(row, f"{row.size_bytes:,} bytes are {advice}") for row in giants], step.time, lease)
        return lease, [row for row in rows if row not in giants] if giants else rows

    def _put_off(self, step: ImportStepInput, lease: Lease, why: str) -> ImportState:
        while True:
            rows = self._ledger.unsettled(step.dataset_key)
            outcome: Outcome = "WAITING" if rows else "NOTHING"
            if self._leases.release(lease, PUT_OFF):
                message = f"{why}; {len(rows)} file(s) wait for it"
                return step.state.model_copy(
                    update={"next_step": NextStep.FINISHED, "outcome": outcome, "message": message}
                )
            lease = self._leases.read(step.dataset_key)
            if lease.holder != step.execution:
                return _join(step.state, lease)


def _join(state: ImportState, lease: Lease) -> ImportState:
    """Return what to do while somebody else holds the lease: wait for the job under way, once."""
    if lease.batch and not state.jobs:
        batch = Batch.model_validate_json(lease.batch)
        return state.model_copy(update={"next_step": NextStep.IMPORT, "batch": batch, "mine": False})
    outcome: Outcome = "IMPORTED" if state.jobs else "BUSY"
    message = f"{lease.holder or 'another execution'} looks after this dataset and what waits for it"
    return state.model_copy(
        update={"next_step": NextStep.FINISHED, "batch": None, "outcome": outcome, "message": message}
    )


def _finish(state: ImportState, lease: Lease, shortage: str) -> ImportState:
    rejections = Rejections.read(lease.rejections)
    imported = f"{state.rows} rows imported in {len(state.jobs)} job(s)" if state.jobs else ""
    outcome: Outcome = "IMPORTED" if state.jobs else "WAITING" if shortage else "NOTHING"
    message = "; ".join(filter(None, [imported, shortage])) or "nothing waits"
    if lease.ignored:
        message += f"; {lease.ignored} side file(s) of other programs (_SUCCESS, .crc, .metadata, …) were left alone"
    changes: dict[str, Any] = {"short": bool(shortage), "outcome": outcome, "message": message}
    if rejections.count:
        summary = f"{rejections.count} file(s) were not imported. {rejections}. Reports are below rejected/."
        return state.model_copy(
            update={**changes, "next_step": NextStep.REJECTED, "error": "UploadRejected", "cause": summary}
        )
    return state.model_copy(update={**changes, "next_step": NextStep.FINISHED})
