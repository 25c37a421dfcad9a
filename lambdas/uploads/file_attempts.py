"""Hold an error against the one file that it is about, so that the others go on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from lambdas.file_checks.csv_check import Finding, InspectionProgress
from lambdas.file_checks.reports import write_report
from lambdas.gateways.s3 import Objects, UnreadableObjectError
from lambdas.gateways.transient import TransientError
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.claims import Claims
from lambdas.uploads.import_state import ImportStepInput
from lambdas.uploads.lease import Lease
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, cut

# A stumble of the service is first the state machine's to retry; one that stays with a file is the file's.
_PATIENT_RETRIES: Final = 3
_PAUSE: Final = timedelta(minutes=4)  # shorter than the shortest time between two sweeps


class FileAttempts:
    """Counts what failed with each file, and gives a file up when it has had its attempts."""

    def __init__(self, ledger: Ledger, claims: Claims, objects: Objects) -> None:
        self._ledger = ledger
        self._claims = claims
        self._objects = objects

    def failed(
        self, failures: Sequence[tuple[FileRow, Exception]], step: ImportStepInput, lease: Lease, policy: UploadPolicy
    ) -> Lease:
        """Let the files wait for another attempt, or reject them with a report.

        Raises TransientError while the state machine may still retry what only came too fast.
        """
        transient = [error for _, error in failures if isinstance(error, TransientError)]
        if transient and step.retries < _PATIENT_RETRIES:
            raise transient[0]
        later = (datetime.fromisoformat(step.time) + _PAUSE).isoformat().replace("+00:00", "Z")
        rejected = []
        for row, error in failures:
            reason = _reason(error, quotes=policy.quote_cells)
            if row.attempts + 1 >= policy.attempts:
                rejected.append((row, self._reported(row, reason)))
            else:
                self._ledger.set_back(row, reason, epoch=lease.epoch, not_before=later)
        return self._claims.reject(rejected, step.time, lease)

    def _reported(self, row: FileRow, reason: str) -> str:
        finding = Finding(line=0, column="", value="", rule="unreadable", advice=reason)
        progress = InspectionProgress(faults=1, hopeless=True, findings=[finding])
        try:
            return f"{reason} (report: {write_report(self._objects, row.key, row.version, progress, 'rejected')})"
        except Exception as error:  # noqa: BLE001 - the file is given up with a report or without
            return f"{reason} (no report: {type(error).__name__})"


def _reason(error: Exception, *, quotes: bool) -> str:
    """Return what went wrong. An error of ours may quote what it stumbled over; one of a call tells of the call."""
    if isinstance(error, UnreadableObjectError):
        return cut(str(error))
    of_a_call = isinstance(error, TransientError) or hasattr(error, "response")
    return cut(f"{type(error).__name__}: {error}" if quotes or of_a_call else type(error).__name__)
