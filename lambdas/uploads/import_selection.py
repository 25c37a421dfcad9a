"""Select the next import: which waiting files, in which mode, or how many rows are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from lambdas.names import digest, ending_in, legal
from lambdas.uploads.lease import PUT_OFF, Lease
from lambdas.uploads.records.file_row import FileRow

Mode = Literal["FULL", "INCREMENTAL"]

# What the service takes in one job (developer guide, "Endpoints and quotas").
LARGEST_BYTES: Final[dict[Mode, int]] = {"FULL": 100 * 10**9, "INCREMENTAL": 10**9}
FEWEST_INTERACTIONS: Final = 1000
# So many copies, and rows to mark in the ledger, fit well into the time of one Lambda function.
MOST_FILES: Final = 50_000
_LONGEST_JOB_NAME: Final = 63


@dataclass(frozen=True)
class ImportSelection:
    """The files that the next import job takes, and in which mode."""

    mode: Mode
    files: tuple[FileRow, ...]

    @property
    def rows(self) -> int:
        """Return how many rows the job will read."""
        return sum(file.rows for file in self.files)

    @property
    def size_bytes(self) -> int:
        """Return how much the job will read."""
        return sum(file.size_bytes for file in self.files)

    @property
    def supersedes_before(self) -> str:
        """Return up to which place in the queue this import makes other files pointless; empty if it does not."""
        return max((file.queue_position for file in self.files if file.full), default="")


@dataclass(frozen=True)
class Shortage:
    """Files wait because the service wants more rows in one import of interactions."""

    rows: int
    since: str

    @property
    def missing(self) -> int:
        """Return how many rows must come before anything is imported."""
        return FEWEST_INTERACTIONS - self.rows

    def __str__(self) -> str:
        return (
            f"{self.rows} rows of interactions wait since {self.since}; an import takes at least "
            f"{FEWEST_INTERACTIONS}, {self.missing} are missing"
        )


def mode_of(rows: Sequence[FileRow], *, filled: bool) -> Mode:
    """Return how the next import is done: the first one and every replacement is FULL, the others add."""
    return "FULL" if not filled or any(row.full for row in rows) else "INCREMENTAL"


def too_large(rows: Sequence[FileRow], *, filled: bool) -> list[FileRow]:
    """Return the files that no import in the mode that is next could take, even alone."""
    limit = LARGEST_BYTES[mode_of(rows, filled=filled)]
    return [row for row in rows if row.size_bytes > limit]


def select_import(rows: Sequence[FileRow], dataset: str, *, filled: bool) -> ImportSelection | Shortage | None:
    """Return the next import of inspected files that wait, in the order of their arrival; None if none waits."""
    if not rows:
        return None
    together = [row for row in rows if row.suspects == rows[0].suspects]
    chosen = _select(together, dataset, filled=filled)
    # Suspects of a failed job that have become too few for one of their own go with the others.
    return _select(rows, dataset, filled=filled) if isinstance(chosen, Shortage) else chosen


def _select(rows: Sequence[FileRow], dataset: str, *, filled: bool) -> ImportSelection | Shortage | None:
    mode = mode_of(rows, filled=filled)
    candidates = [row for row in rows if row.full] or list(rows)
    files: list[FileRow] = []
    size_bytes = 0
    for row in candidates:
        size_bytes += row.size_bytes
        if size_bytes > LARGEST_BYTES[mode] or len(files) == MOST_FILES:
            break
        files.append(row)
    if not files:
        return None
    selection = ImportSelection(mode, tuple(files))
    if dataset == "interactions" and selection.rows < FEWEST_INTERACTIONS:
        return Shortage(selection.rows, files[0].arrived)
    return selection


def halves(files: Sequence[FileRow], dataset: str) -> tuple[Sequence[FileRow], Sequence[FileRow]] | None:
    """Return the files of a failed job in two parts that can be tried apart, or None where they cannot.

    A replacement is one thing: half of it would replace the dataset with half. A part of interactions must be large
    enough for a job of its own.
    """
    first, second = files[: len(files) // 2], files[len(files) // 2 :]
    fewest = FEWEST_INTERACTIONS if dataset == "interactions" else 0
    if not first or any(file.full for file in files):
        return None
    return (first, second) if all(sum(file.rows for file in part) >= fewest for part in (first, second)) else None


def selection_digest(dataset_key: str, selection: ImportSelection) -> str:
    """Return what is the same for the same files after the same number of attempts."""
    return digest("\n".join([dataset_key, *(f"{file.entry} {file.attempts}" for file in selection.files)]))


def job_name(dataset_key: str, selection: ImportSelection, time: str, prefix: str = "") -> str:
    """Return the name of the job that imports these files now.

    The service never frees a job's name, so it is made of what is imported, how often that was tried, and when.
    It begins with the stage's `prefix`.
    """
    when = "".join(letter for letter in time[:19] if letter.isalnum())
    return ending_in(
        legal(prefix + dataset_key), f"-{when}-{selection_digest(dataset_key, selection)}", _LONGEST_JOB_NAME
    )


def import_request(
    dataset_arn: str, role_arn: str, selection: ImportSelection, name: str, location: str
) -> dict[str, Any]:
    """Return the parameters of CreateDatasetImportJob."""
    return {
        "jobName": name,
        "datasetArn": dataset_arn,
        "dataSource": {"dataLocation": location},
        "roleArn": role_arn,
        "importMode": selection.mode,
    }


def why_it_waits(row: FileRow, rows: Sequence[FileRow], lease: Lease) -> str:
    """Return what a file waits for, given all open rows of its dataset and the lease on it."""
    if lease.batch and row.batch and row.batch in lease.batch:
        return f"the import job {row.batch} takes it; at most five jobs of a region run at once, others wait for a slot"
    if row.not_before:
        return f"it is tried again after {row.not_before}: {row.reason}"
    if lease.holder:
        return f"{lease.holder} is at work for this dataset and looks at everything when it is done"
    if lease.outcome == PUT_OFF:
        return "its dataset did not exist, or was not ACTIVE, when it was last looked at; a pipeline creates it"
    inspected = [one for one in rows if one.inspected]
    chosen = select_import(inspected, lease.name.partition("/")[2], filled=lease.filled is not None)
    if isinstance(chosen, Shortage):
        return str(chosen)
    return row.reason or "the next import, which the next upload or sweep starts"
