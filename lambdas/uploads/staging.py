"""Put the files of one import job where the service finds them, and commit to the job."""

from collections.abc import Iterator, Sequence
from typing import Final

from lambdas.bucket_layout import staging_folder
from lambdas.file_checks.columns import Column, columns_of
from lambdas.file_checks.csv_check import Inspector
from lambdas.gateways.concurrency import each
from lambdas.gateways.s3 import Objects
from lambdas.uploads.claims import Claims
from lambdas.uploads.import_selection import ImportSelection, import_request, job_name
from lambdas.uploads.import_state import Batch, ImportState, ImportStepInput, NextStep
from lambdas.uploads.lease import Lease, Leases
from lambdas.uploads.ledger import FileRow, Ledger

_LONGEST_LOCATION: Final = 256  # the service's limit for dataLocation (shape S3Location)


class Staging:
    """Chooses the next import, copies what must be copied, and writes the job down before it is asked for."""

    def __init__(self, ledger: Ledger, leases: Leases, claims: Claims, objects: Objects, role_arn: str) -> None:
        self._ledger = ledger
        self._leases = leases
        self._claims = claims
        self._objects = objects
        self._role_arn = role_arn

    def stage(self, step: ImportStepInput) -> ImportState:
        """Commit to the next import job; the answer says what to do when there is none."""
        return self._claims.unless_lost(step, lambda: self._stage(step))

    def _stage(self, step: ImportStepInput) -> ImportState:
        while True:
            decision = self._claims.decide(step)
            if decision.selection is None:
                return decision.state
            if batch := self._commit(step, decision.selection, decision.lease):
                return decision.state.model_copy(update={"next_step": NextStep.IMPORT, "batch": batch, "mine": True})

    def _commit(self, step: ImportStepInput, selection: ImportSelection, lease: Lease) -> Batch | None:
        facts = step.state.facts
        assert facts is not None  # noqa: S101 -- `stage` has looked
        name = job_name(step.dataset_key, selection, step.time)
        each(lambda row: self._ledger.claim(row, name, epoch=lease.epoch), selection.files)
        columns = columns_of(facts.schema_text, step.dataset)
        location, lost = self._locate(step.dataset_key, name, selection.files, columns)
        if lost:
            # Overwritten or deleted since they were inspected. Their newer versions have events of their own.
            self._claims.supersede(lost, step.time, lease, "overwritten or deleted before it was imported")
            return None
        batch = Batch(
            name=name,
            mode=selection.mode,
            request=import_request(facts.arn, self._role_arn, selection, name, location),
            files=len(selection.files),
            rows=selection.rows,
            size_bytes=selection.size_bytes,
            supersedes_before=selection.supersedes_before,
        )
        # From here on the job may exist: the next holder of the lease carries on with this batch and no other.
        self._leases.keep(lease, {"batch": batch.model_dump_json()})
        return batch

    def _locate(
        self, dataset_key: str, name: str, files: Sequence[FileRow], columns: Sequence[Column]
    ) -> tuple[str, list[FileRow]]:
        bucket = self._objects.bucket
        where_it_is = f"s3://{bucket}/{files[0].key}"
        if len(files) == 1 and not files[0].bad_rows and len(where_it_is) <= _LONGEST_LOCATION:
            return where_it_is, [] if self._is_current(files[0]) else list(files)
        folder = staging_folder(dataset_key, name)
        staged = set(self._objects.keys(folder))
        # Numbered in the order of arrival, in which the newer of two rows about one item comes last.
        targets = {f"{folder}{number:06d}.csv": row for number, row in enumerate(files)}
        missing = [(key, row) for key, row in targets.items() if key not in staged]
        copied = each(lambda pair: self._copy(pair[1], pair[0], columns), missing)
        lost = [row for (_, row), arrived in zip(missing, copied, strict=True) if not arrived]
        return f"s3://{bucket}/{folder}", lost

    def _is_current(self, row: FileRow) -> bool:
        return self._objects.current_version(row.key, versioned=row.versioned) == row.version

    def _copy(self, row: FileRow, key: str, columns: Sequence[Column]) -> bool:
        if row.bad_rows:
            body = self._objects.open(row.key)
            if body is None or (body.version_id if row.versioned else body.etag) != row.version:
                return False
            self._objects.write_stream(key, _good_rows(body.chunks, columns))
            return True
        return self._objects.copy(row.key, row.version, key, versioned=row.versioned, size_bytes=row.size_bytes)


def _good_rows(chunks: Iterator[bytes], columns: Sequence[Column]) -> Iterator[bytes]:
    inspector = Inspector(columns, keep=True)
    for chunk in chunks:
        yield inspector.feed(chunk)
    yield inspector.finish()
