"""Put the files of one import job where the service finds them, and commit to the job."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from lambdas.bucket_layout import staging_folder
from lambdas.file_checks.columns import Column, columns_of
from lambdas.file_checks.csv_check import Inspector
from lambdas.gateways.concurrency import AT_ONCE, each, each_apart
from lambdas.gateways.s3 import Objects
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.claims import Claims
from lambdas.uploads.file_attempts import FileAttempts
from lambdas.uploads.import_selection import ImportSelection, import_request, job_name, selection_digest
from lambdas.uploads.import_state import Batch, ImportState, ImportStepInput, NextStep
from lambdas.uploads.lease import Lease, Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow

_COPIES_PER_LOOK: Final = 8 * AT_ONCE  # between two looks at the clock
_NO_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({})
_LONGEST_LOCATION: Final = 256  # the service's limit for dataLocation (shape S3Location)


class OutOfTimeError(Exception):
    """The function's time is nearly over; what was copied stays, and the next one goes on."""


class Placement(NamedTuple):
    """Where the service finds the files of a job, and which of them it does not."""

    location: str
    lost: list[FileRow]
    failed: list[tuple[FileRow, Exception]]


class ImportJobs(NamedTuple):
    """What all import jobs of a stage share: the role that the service is handed, and how their names begin."""

    role_arn: str
    name_prefix: str = ""


class Staging:
    """Chooses the next import, copies what must be copied, and writes the job down before it is asked for."""

    def __init__(
        self, ledger: Ledger, leases: Leases, claims: Claims, objects: Objects, jobs: ImportJobs,
        out_of_time: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._attempts = FileAttempts(ledger, claims, objects)
        self._ledger = ledger
        self._leases = leases
        self._claims = claims
        self._objects = objects
        self._jobs = jobs
        self._out_of_time = out_of_time

    def stage(
        self, step: ImportStepInput, policy: UploadPolicy, options: Mapping[str, Any] = _NO_OPTIONS
    ) -> ImportState:
        """Commit to the next import job; the answer says what to do when there is none, STAGE when time ran out.

        `options` are parameters of CreateDatasetImportJob that the request has.
        """
        return self._claims.unless_lost(step, lambda: self._stage(step, policy, options))

    def _stage(self, step: ImportStepInput, policy: UploadPolicy, options: Mapping[str, Any]) -> ImportState:
        while True:
            decision = self._claims.decide(step)
            if decision.selection is None:
                return decision.state
            try:
                placed = self._place(step, decision.selection, policy)
            except OutOfTimeError:
                return decision.state.model_copy(update={"next_step": NextStep.STAGE})
            if not placed.lost and not placed.failed:
                batch = self._commit(step, decision.selection, decision.lease, placed.location, options)
                return decision.state.model_copy(update={"next_step": NextStep.IMPORT, "batch": batch, "mine": True})
            # Overwritten or deleted since they were inspected. Their newer versions have events of their own.
            self._claims.supersede(
                placed.lost, step.time, decision.lease, "overwritten or deleted before it was imported"
            )
            self._attempts.failed(placed.failed, step, decision.lease, policy)

    def _commit(
        self,
        step: ImportStepInput,
        selection: ImportSelection,
        lease: Lease,
        location: str,
        options: Mapping[str, Any],
    ) -> Batch:
        facts = step.state.facts
        assert facts is not None  # noqa: S101 -- `stage` has looked
        name = job_name(step.dataset_key, selection, step.time, self._jobs.name_prefix)
        each(lambda row: self._ledger.claim(row, name, epoch=lease.epoch), selection.files)
        batch = Batch(
            name=name,
            mode=selection.mode,
            request={**options, **import_request(facts.arn, self._jobs.role_arn, selection, name, location)},
            files=len(selection.files),
            rows=selection.rows,
            size_bytes=selection.size_bytes,
            supersedes_before=selection.supersedes_before,
        )
        # From here on the job may exist: whoever takes the lease next carries on with this batch and no other.
        self._leases.keep(lease, {"batch": batch.model_dump_json()})
        return batch

    def _place(self, step: ImportStepInput, selection: ImportSelection, policy: UploadPolicy) -> Placement:
        bucket, files = self._objects.bucket, selection.files
        where_it_is = f"s3://{bucket}/{files[0].key}"
        if len(files) == 1 and not files[0].bad_rows and _can_stay(where_it_is):
            return _placement(where_it_is, files, each_apart(self._is_current, files))
        # The same folder for the same files, so that whoever comes after a dead function finds its copies.
        folder = staging_folder(step.dataset_key, selection_digest(step.dataset_key, selection))
        staged = set(self._objects.keys(folder))
        # Numbered in the order of arrival, in which the newer of two rows about one item comes last.
        targets = {f"{folder}{number:06d}.csv": row for number, row in enumerate(files)}
        missing = [(key, row) for key, row in targets.items() if key not in staged]
        copied = self._copy_all(missing) + self._clean_all(missing, step, policy)
        return _placement(f"s3://{bucket}/{folder}", [row for row, _ in copied], [outcome for _, outcome in copied])

    def _copy_all(self, missing: Sequence[tuple[str, FileRow]]) -> list[tuple[FileRow, bool | Exception]]:
        """Copy on the server what is imported as it is, many files at once."""
        pairs = [pair for pair in missing if not pair[1].bad_rows]
        copied: list[tuple[FileRow, bool | Exception]] = []
        for start in range(0, len(pairs), _COPIES_PER_LOOK):
            self._stop_in_time()
            part = pairs[start : start + _COPIES_PER_LOOK]
            copied += zip([row for _, row in part], each_apart(self._copy, part), strict=True)
        return copied

    def _clean_all(
        self, missing: Sequence[tuple[str, FileRow]], step: ImportStepInput, policy: UploadPolicy
    ) -> list[tuple[FileRow, bool | Exception]]:
        """Copy the good rows of the others, one file at a time: memory holds a part of one."""
        pairs = [pair for pair in missing if pair[1].bad_rows]
        facts = step.state.facts
        assert facts is not None  # noqa: S101 -- `stage` has looked
        lenient = policy.uncertain == "IMPORT"
        columns = columns_of(facts.schema_text, step.dataset, lenient=lenient) if pairs else ()
        cleaned: list[tuple[FileRow, bool | Exception]] = []
        for pair in pairs:
            self._stop_in_time()
            cleaned += [(pair[1], outcome) for outcome in each_apart(lambda pair: self._clean(pair, columns), [pair])]
        return cleaned

    def _stop_in_time(self) -> None:
        if self._out_of_time():
            raise OutOfTimeError

    def _is_current(self, row: FileRow) -> bool:
        return self._objects.current_version(row.key, versioned=row.versioned) == row.version

    def _copy(self, pair: tuple[str, FileRow]) -> bool:
        key, row = pair
        return self._objects.copy(row.key, row.version, key, versioned=row.versioned, size_bytes=row.size_bytes)

    def _clean(self, pair: tuple[str, FileRow], columns: Sequence[Column]) -> bool:
        key, row = pair
        body = self._objects.open(row.key)
        if body is None or (body.version_id if row.versioned else body.etag) != row.version:
            return False
        self._objects.write_stream(key, _good_rows(body.chunks, columns))
        return True


def _can_stay(location: str) -> bool:
    """Say whether the service takes a file by this name; any other is copied to one that it takes."""
    return location.endswith(".csv") and len(location) <= _LONGEST_LOCATION


def _placement(location: str, files: Sequence[FileRow], outcomes: Sequence[bool | Exception]) -> Placement:
    pairs = list(zip(files, outcomes, strict=True))
    lost = [row for row, outcome in pairs if outcome is False]
    return Placement(location, lost, [(row, outcome) for row, outcome in pairs if isinstance(outcome, Exception)])


def _good_rows(chunks: Iterator[bytes], columns: Sequence[Column]) -> Iterator[bytes]:
    inspector = Inspector(columns, keep=True)
    for chunk in chunks:
        yield inspector.feed(chunk)
    yield inspector.finish()
