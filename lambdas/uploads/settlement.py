"""Write down what became of an import job's files, and give the lease back on every path."""

from collections.abc import Sequence
from typing import Final

from lambdas.bucket_layout import IMPORTED_TAG
from lambdas.gateways.concurrency import each
from lambdas.gateways.s3 import Objects
from lambdas.personalize.gateway import Personalize
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.claims import Claims
from lambdas.uploads.import_selection import halves
from lambdas.uploads.import_starter import ImportStarter
from lambdas.uploads.import_state import Batch, ImportState, ImportStepInput, Job
from lambdas.uploads.lease import Lease, Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, FileState
from lambdas.uploads.records.import_history import ImportHistory

# The errors with which an import job itself has failed. After any other the job may be running still: the batch stays,
# and the next execution attaches to it.
_FINAL: Final = frozenset({"ResourceFailed", "InvalidInputException"})

# The service reads an object where it is by its key, which then stands for the newest version.
_TORN: Final = "overwritten during its import: the job read this version or the newer one, which is imported next"


class Settlement:
    """Ends what Staging began."""

    def __init__(
        self, ledger: Ledger, history: ImportHistory, leases: Leases, claims: Claims, objects: Objects,
        starter: ImportStarter,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._history = history
        self._leases = leases
        self._claims = claims
        self._objects = objects
        self._starter = starter

    def succeeded(
        self, step: ImportStepInput, job_arn: str, personalize: Personalize, *, tags_imported: bool = False
    ) -> ImportState:
        """Settle the files of a job that is ACTIVE, and look what comes next."""
        state, batch = step.state, step.state.batch
        assert batch is not None  # noqa: S101 -- the state machine comes here from the job of a batch
        job = Job(jobName=batch.name, arn=job_arn, mode=batch.mode, files=batch.files, rows=batch.rows)
        done = step.model_copy(update={"state": state.after(job, batch.rows)})
        if not state.mine:
            return self._claims.claim(done, personalize)
        lease = self._leases.read(step.dataset_key)
        if lease.holder == step.execution and lease.batch:
            if tags_imported:
                self._tag(step, batch)
            self._settle_imported(step, batch, job_arn, lease)
        facts = state.facts.model_copy(update={"filled": True}) if state.facts else None
        return self._go_on(done.model_copy(update={"state": done.state.model_copy(update={"facts": facts})}))

    def _go_on(self, step: ImportStepInput) -> ImportState:
        lease = self._leases.read(step.dataset_key)
        if lease.holder != step.execution or not self._claims.is_over(step, lease):
            return self._claims.next_step(step)
        state = self._claims.hand_over(step, lease)
        # Whatever dies before this line leaves the files to the sweep.
        self._starter.start(self._leases.read(step.dataset_key))
        return state

    def _settle_imported(self, step: ImportStepInput, batch: Batch, job_arn: str, lease: Lease) -> None:
        def settle(row: FileRow) -> None:
            self._ledger.settle(row, FileState.IMPORTED, step.time, epoch=lease.epoch, job_arn=job_arn)

        rows = self._ledger.unsettled(step.dataset_key)
        claimed = [row for row in rows if row.batch == batch.name]
        torn = [] if batch.is_staged else [row for row in claimed if not self._is_current(row)]
        self._claims.supersede(torn, step.time, lease, _TORN)
        each(settle, [row for row in claimed if row not in torn])
        replaced = [row for row in rows if row.batch != batch.name and row.queue_position < batch.supersedes_before]
        self._claims.supersede(replaced, step.time, lease, f"replaced by the FULL import {batch.name}")
        self._history.note_import(step.datasetGroup, step.dataset, batch.name, batch.rows, step.time)
        self._leases.keep(lease, {}, remove=("batch",))

    def _tag(self, step: ImportStepInput, batch: Batch) -> None:
        """Tag the job's files before they are settled, so that whoever comes after a dead function does it again."""

        def tag(row: FileRow) -> None:
            self._objects.tag(row.key, row.version, IMPORTED_TAG, versioned=row.versioned)

        each(tag, [row for row in self._ledger.unsettled(step.dataset_key) if row.batch == batch.name])

    def _is_current(self, row: FileRow) -> bool:
        return self._objects.current_version(row.key, versioned=row.versioned) == row.version

    def failed(self, step: ImportStepInput, error: str, cause: str, policy: UploadPolicy) -> None:
        """Settle or set back the files of a job that failed, and give the lease back whatever went wrong."""
        lease = self._leases.read(step.dataset_key)
        if lease.holder != step.execution:
            return
        final = lease.batch is not None and error in _FINAL
        if final:
            self._set_back(step, Batch.model_validate_json(str(lease.batch)), cause, policy, lease)
        self._leases.give_up(step.dataset_key, step.execution)
        # What came during the failed job deserves its own; what failed with it waits for the sweep.
        if final and any(row.attempts == 0 for row in self._ledger.unsettled(step.dataset_key)):
            self._starter.start(self._leases.read(step.dataset_key))

    def _set_back(self, step: ImportStepInput, batch: Batch, cause: str, policy: UploadPolicy, lease: Lease) -> None:
        def put_back(row: FileRow) -> None:
            if policy.on_failed_import == "REJECT" or row.attempts + 1 >= policy.attempts:
                self._ledger.settle(row, FileState.REJECTED, step.time, epoch=lease.epoch, reason=cause)
            else:
                self._ledger.set_back(row, cause, epoch=lease.epoch)

        rows = [row for row in self._ledger.unsettled(step.dataset_key) if row.batch == batch.name]
        if parts := halves(rows, step.dataset):
            # Tried apart before any is given up, so that in the end the guilty one alone has used its attempts.
            for number, part in enumerate(parts):
                self._suspect(part, f"{batch.name}/{number}", cause, lease)
        else:
            each(put_back, rows)
        self._leases.keep(lease, {}, remove=("batch",))

    def _suspect(self, rows: Sequence[FileRow], suspects: str, cause: str, lease: Lease) -> None:
        each(lambda row: self._ledger.suspect(row, suspects, cause, epoch=lease.epoch), rows)
