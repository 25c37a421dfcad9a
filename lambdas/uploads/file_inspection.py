"""Inspect what waits: each new file once, many small ones at a time, a large one in slices."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from lambdas.file_checks.columns import Column, columns_of
from lambdas.file_checks.csv_check import InspectionProgress, Inspector
from lambdas.file_checks.reports import reason_of, write_report
from lambdas.gateways.concurrency import AT_ONCE, each_apart
from lambdas.gateways.s3 import Objects
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.claims import Claims
from lambdas.uploads.file_attempts import FileAttempts
from lambdas.uploads.import_state import ImportState, ImportStepInput, NextStep
from lambdas.uploads.lease import Lease, Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow

_SMALL_BYTES: Final = 1 << 20
_LARGEST_CLEANED_BYTES: Final = 5 * 10**9  # leaving bad rows out means sending the good ones through a Lambda function
_WITHDRAWN: Final = "deleted before it was imported"
_OVERWRITTEN: Final = "overwritten before it was imported"


class Inspection:
    """The check of waiting files: looks into them as long as there is time, and writes down what it saw."""

    def __init__(
        self, ledger: Ledger, leases: Leases, claims: Claims, objects: Objects, out_of_time: Callable[[], bool]
    ) -> None:
        self._attempts = FileAttempts(ledger, claims, objects)
        self._ledger = ledger
        self._leases = leases
        self._claims = claims
        self._objects = objects
        self._out_of_time = out_of_time

    def inspect(self, step: ImportStepInput, policy: UploadPolicy) -> ImportState:
        """Inspect what was not inspected; the answer's next step is INSPECT while there is more to do."""
        return self._claims.unless_lost(step, lambda: self._inspect(step, policy))

    def _inspect(self, step: ImportStepInput, policy: UploadPolicy) -> ImportState:
        facts = step.state.facts
        assert facts is not None  # noqa: S101 -- the state machine comes here with what Claim found
        columns = columns_of(facts.schema_text, step.dataset, lenient=policy.uncertain == "IMPORT")
        lease = self._leases.read(step.dataset_key)
        if lease.holder != step.execution:
            return self._claims.next_step(step)
        lease, waiting = self._claims.without_giants(step, lease, self._claims.waiting(step, lease), facts)
        rows = [row for row in waiting if not row.inspected]
        for group in _groups(rows):
            if self._out_of_time():
                return step.state.model_copy(update={"next_step": NextStep.INSPECT})
            lease = self._inspect_group(group, columns, policy, step, lease)
        return step.state.model_copy(update={"next_step": NextStep.STAGE})

    def _inspect_group(
        self,
        group: Sequence[FileRow],
        columns: Sequence[Column],
        policy: UploadPolicy,
        step: ImportStepInput,
        lease: Lease,
    ) -> Lease:
        checked = each_apart(lambda row: self._check(row, columns, quotes=policy.quote_cells), group)
        judged = each_apart(
            lambda pair: self._judge(*pair, policy, step, lease), list(zip(group, checked, strict=True))
        )
        rejected = [
            (_counted(row, seen), reason)
            for row, seen, reason in zip(group, checked, judged, strict=True)
            if isinstance(reason, str)
        ]
        lease = self._claims.reject(rejected, step.time, lease)
        failed = [(row, error) for row, error in zip(group, judged, strict=True) if isinstance(error, Exception)]
        return self._attempts.failed(failed, step, lease, policy) if failed else lease

    def _judge(
        self,
        row: FileRow,
        seen: "_Checked | str | Exception",
        policy: UploadPolicy,
        step: ImportStepInput,
        lease: Lease,
    ) -> str | None:
        """Write down what was seen of a file; return why it is rejected, if it is."""
        if isinstance(seen, Exception):
            raise seen
        if isinstance(seen, str):
            self._claims.supersede([row], step.time, lease, seen)
        elif seen.done and not _is_acceptable(row, seen.progress, policy):
            report = write_report(self._objects, row.key, row.version, seen.progress, "rejected")
            return f"{reason_of(seen.progress)} (report: {report})"
        else:
            self._note(row, seen, lease)
        return None

    def _note(self, row: FileRow, seen: "_Checked", lease: Lease) -> None:
        progress = seen.progress
        if not seen.done:
            self._ledger.note(replace(row, progress=progress.model_dump_json()), epoch=lease.epoch)
            return
        if progress.bad_rows:
            write_report(self._objects, row.key, row.version, progress, "imported without its bad rows")
        self._ledger.note(replace(row, rows=progress.rows, bad_rows=progress.bad_rows, progress=""), epoch=lease.epoch)

    def _check(self, row: FileRow, columns: Sequence[Column], *, quotes: bool) -> "_Checked | str":
        start = InspectionProgress.model_validate_json(row.progress) if row.progress else None
        body = self._objects.open(row.key, start.offset if start else 0) if row.size_bytes else None
        if row.size_bytes and body is None:
            return _WITHDRAWN
        if body and (body.version_id if row.versioned else body.etag) != row.version:
            return _OVERWRITTEN
        inspector = Inspector(columns, start, quotes=quotes)
        for chunk in body.chunks if body else ():
            inspector.feed(chunk)
            if inspector.progress.hopeless:
                break
            if self._out_of_time():
                return _Checked(inspector.progress, done=False)
        inspector.finish()
        return _Checked(inspector.progress, done=True)


class _Checked:
    def __init__(self, progress: InspectionProgress, *, done: bool) -> None:
        self.progress = progress
        self.done = done


def _counted(row: FileRow, seen: "_Checked | str | Exception") -> FileRow:
    """Return the row with the numbers of good and bad rows that were seen."""
    if not isinstance(seen, _Checked):
        return row
    return replace(row, rows=seen.progress.rows, bad_rows=seen.progress.bad_rows)


def _is_acceptable(row: FileRow, progress: InspectionProgress, policy: UploadPolicy) -> bool:
    if not progress.faults:
        return True
    saveable = not progress.hopeless and progress.rows > 0 and row.size_bytes <= _LARGEST_CLEANED_BYTES
    return policy.bad_rows == "DROP" and saveable


def _groups(rows: Sequence[FileRow]) -> Iterator[Sequence[FileRow]]:
    """Yield small files many at a time, large ones alone: memory holds one chunk of each file that is open."""
    small = [row for row in rows if row.size_bytes <= _SMALL_BYTES]
    for start in range(0, len(small), 4 * AT_ONCE):
        yield small[start : start + 4 * AT_ONCE]
    for row in rows:
        if row.size_bytes > _SMALL_BYTES:
            yield [row]
