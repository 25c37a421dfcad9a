"""Keep the ledger: a row per version of an uploaded object, from its announcement to what became of it.

Any event or sweep makes rows; after that only the holder of the dataset's lease changes them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lambdas.bucket_layout import UPLOADS
from lambdas.gateways.dynamodb import ABSENT, AtMost, Item, Table, Value
from lambdas.names import cut_bytes, digest, shown

DATASET_KEYS: Final = "datasets"  # the partition that lists the datasets the ledger knows
RETRAINS_PUT_OFF: Final = "retrains"  # and the one that lists the groups whose training was put off
DEFAULT_DAYS: Final = 90
_FILE: Final = "file#"
_LAST: Final = "\U0010ffff"  # sorts behind whatever an entry ends with
_LONGEST_REASON: Final = 2000  # characters
_LONGEST_POSITION_BYTES: Final = 1000  # the index's sort key, too, ends at 1,024
_LONGEST_NAME_BYTES: Final = 900  # DynamoDB's sort keys end at 1,024 bytes, S3's keys too, and we add to them


class FileState(StrEnum):
    """What has become of an uploaded file: it waits, was claimed, imported, rejected or superseded."""

    WAITING = "WAITING"
    CLAIMED = "CLAIMED"
    IMPORTED = "IMPORTED"
    REJECTED = "REJECTED"
    IGNORED = "IGNORED"  # what other programs leave beside their files
    STARTED = "STARTED"  # a request or a batch input: it has started its machine
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True)
class FileRow:
    """The ledger's row of one version of an uploaded object.

    Times are ISO texts in UTC, as events and Step Functions write them.
    """

    dataset_key: str
    key: str
    version: str  # the version id, or the etag where the bucket has no versions
    versioned: bool
    size_bytes: int
    arrived: str
    sequencer: str = ""  # empty when no event but a sweep found the object
    full: bool = False
    state: FileState = FileState.WAITING
    rows: int = -1  # -1: not inspected yet
    bad_rows: int = 0
    progress: str = ""  # JSON of an inspection that goes on in the next slice
    batch: str = ""
    epoch: int = 0
    attempts: int = 0  # that failed with this file alone, or with files that could not be told apart
    not_before: str = ""  # nobody tries it again earlier
    suspects: str = ""  # after a failed job: which of its files are tried together next
    settled: str = ""
    job_arn: str = ""
    reason: str = ""

    @property
    def entry(self) -> str:
        """Return the row's sort key: the same for every delivery of one event, and for a sweep that finds the object.

        A version id names one version for ever. An etag does not: the same content may be uploaded twice, and then
        the sequencer tells the uploads apart.
        """
        identity = self.version if self.versioned else f"{self.version}.{self.sequencer}"
        return f"{entry_prefix(self.dataset_key, self.key)}{identity}"

    @property
    def inspected(self) -> bool:
        """Say whether the file was looked at to its end."""
        return self.rows >= 0

    @property
    def queue_position(self) -> str:
        """Return what waiting files are sorted by: arrival, then the order S3 gives to one key's versions."""
        return cut_bytes(f"{self.arrived}#{self.sequencer:0<32}#{self.key}", _LONGEST_POSITION_BYTES)

    def is_newer_than(self, other: "FileRow") -> bool:
        """Say whether this version of a key replaced the other one.

        S3 documents how: pad the shorter sequencer with zeros on the right, then compare the texts.
        """
        if not self.sequencer or not other.sequencer:
            return self.arrived > other.arrived
        width = max(len(self.sequencer), len(other.sequencer))
        return self.sequencer.ljust(width, "0") > other.sequencer.ljust(width, "0")


def cut(reason: str) -> str:
    """Return a reason as long as it is kept: whatever an error says, a row stays far below DynamoDB's 400 KB."""
    return shown(reason, _LONGEST_REASON)


def entry_prefix(dataset_key: str, key: str) -> str:
    """Return what the entries of all versions of one object begin with."""
    name = key.removeprefix(f"{UPLOADS}{dataset_key}/")
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        name = digest(name, 64)
    return f"{_FILE}{name}#"


def _item(row: FileRow) -> Item:
    values: dict[str, Value] = {
        name: value for name, value in vars(row).items() if value != "" and name not in {"dataset_key", "progress"}
    }
    return {**values, "state": str(row.state), "dataset": row.dataset_key, "entry": row.entry}


def _row(item: Item) -> FileRow:
    known = {name: item[name] for name in FileRow.__dataclass_fields__ if name in item}
    return FileRow(**{**known, "dataset_key": item["dataset"], "state": FileState(str(item["state"]))})  # type: ignore[arg-type]


class Ledger:
    """The record of all uploaded files: reads and writes their rows.

    Settled rows expire `keep_days` after they were settled; others never do.
    """

    def __init__(self, table: Table, keep_days: int = DEFAULT_DAYS) -> None:
        self._table = table
        self._keep = timedelta(days=keep_days)

    def record(self, row: FileRow) -> bool:
        """Write down a new version of an object; False when it is known already."""
        return self._table.create({**_item(row), "open": row.queue_position})

    def record_rejected(self, row: FileRow, reason: str) -> bool:
        """Write down an object that cannot be imported, whatever is in it."""
        return self._record_settled(row, FileState.REJECTED, reason)

    def record_ignored(self, row: FileRow) -> bool:
        """Write down an object that is no data, so that whoever asks what became of it is told."""
        return self._record_settled(row, FileState.IGNORED, "its name says that it describes other files")

    def record_started(self, row: FileRow) -> bool:
        """Write down an object that has started the machine that it is for."""
        return self._record_settled(row, FileState.STARTED, "")

    def _record_settled(self, row: FileRow, state: FileState, reason: str) -> bool:
        settled = replace(row, state=state, reason=cut(reason), settled=row.arrived)
        return self._table.create({**_item(settled), "expires_at": self._expiry(row.arrived)})

    def know_dataset(self, dataset_key: str) -> None:
        """Remember that there is such a dataset, so that a sweep need not search for it."""
        self._table.create({"dataset": DATASET_KEYS, "entry": dataset_key})

    def dataset_keys(self) -> list[str]:
        """Return every dataset that a file was recorded for."""
        return [str(item["entry"]) for item in self._table.entries(DATASET_KEYS)]

    def unsettled(self, dataset_key: str) -> list[FileRow]:
        """Return what waits or is being imported, in the order of arrival."""
        return [_row(item) for item in self._table.unsettled(dataset_key)]

    def has_unsettled(self, dataset_key: str) -> bool:
        """Say whether anything waits or is being imported."""
        return self._table.has_unsettled(dataset_key)

    def versions(self, dataset_key: str, key: str) -> Iterator[FileRow]:
        """Answer "what happened to my file": every version of it that is remembered."""
        return map(_row, self._table.entries(dataset_key, entry_prefix(dataset_key, key)))

    def unknown(self, rows: Sequence[FileRow]) -> list[FileRow]:
        """Return those of a dataset's objects that were never written down.

        Neighbours in the order of keys cost one query, however many they are.
        """
        if not rows:
            return []
        prefixes = sorted(entry_prefix(row.dataset_key, row.key) for row in rows)
        known = {}
        for item in self._table.between(rows[0].dataset_key, prefixes[0], prefixes[-1] + _LAST):
            known[str(item["entry"])] = known[f"{item['key']}\n{item['version']}"] = True
        return [row for row in rows if (row.entry if row.versioned else f"{row.key}\n{row.version}") not in known]

    def note(self, row: FileRow, *, epoch: int) -> None:
        """Write down how far the inspection of a waiting file has come."""
        put: dict[str, Value] = {"rows": row.rows, "bad_rows": row.bad_rows, "epoch": epoch, "progress": row.progress}
        self._change(row, put, epoch, (FileState.WAITING, FileState.CLAIMED))

    def claim(self, row: FileRow, batch: str, *, epoch: int) -> bool:
        """Mark a file as part of an import job; False when somebody with a newer lease has it."""
        put: dict[str, Value] = {"state": FileState.CLAIMED, "batch": batch, "epoch": epoch}
        return self._change(row, put, epoch, (FileState.WAITING, FileState.CLAIMED))

    def set_back(self, row: FileRow, reason: str, *, epoch: int, not_before: str = "") -> bool:
        """Let a file wait again after an attempt on it failed."""
        put: dict[str, Value] = {
            "state": FileState.WAITING, "attempts": row.attempts + 1, "reason": cut(reason), "batch": "",
            "not_before": not_before, "epoch": epoch,
        }  # fmt: skip
        return self._change(row, put, epoch, (FileState.WAITING, FileState.CLAIMED))

    def suspect(self, row: FileRow, suspects: str, reason: str, *, epoch: int) -> bool:
        """Let a file wait again after a job of several failed: it is tried with these suspects next."""
        put: dict[str, Value] = {
            "state": FileState.WAITING, "suspects": suspects, "reason": cut(reason), "batch": "", "epoch": epoch
        }  # fmt: skip
        return self._change(row, put, epoch, (FileState.CLAIMED,))

    def settle(
        self, row: FileRow, state: FileState, time: str, *, epoch: int, reason: str = "", job_arn: str = ""
    ) -> bool:
        """Write down what became of a file, for good."""
        put: dict[str, Value] = {
            "state": state,
            "settled": time,
            "reason": cut(reason),
            "job_arn": job_arn,
            "epoch": epoch,
            "expires_at": self._expiry(time),
        }
        return self._change(row, put, epoch, (FileState.WAITING, FileState.CLAIMED), remove=("open", "progress"))

    def note_import(self, group: str, dataset: str, batch: str, rows: int, time: str) -> None:
        """Remember a finished import job, once, for the decision about the next training."""
        item: Item = {"dataset": f"{group}/imports", "entry": f"import#{batch}", "kind": dataset, "rows": rows}
        if self._table.create({**item, "settled": time, "expires_at": self._expiry(time)}):
            self._table.update(f"{group}/imports", f"newest#{dataset}", put={"settled": time, "kind": dataset})

    def rows_imported(self, group: str, since: datetime | None) -> int:
        """Return how many rows a group's imports brought since a moment, as far back as the ledger remembers."""
        imports = self._table.entries(f"{group}/imports", "import#")
        return sum(
            int(item["rows"])
            for item in imports
            if since is None or datetime.fromisoformat(str(item["settled"])) > since
        )

    def put_retrain_off(self, group: str, job_name: str) -> None:
        """Remember that the group's imports, of which this job is the newest, call for a training later."""
        self._table.update(RETRAINS_PUT_OFF, group, put={"job_name": job_name})

    def retrains_put_off(self) -> list[tuple[str, str]]:
        """Return the groups whose training was put off, each with its newest import job."""
        return [(str(item["entry"]), str(item["job_name"])) for item in self._table.entries(RETRAINS_PUT_OFF)]

    def forget_retrain(self, group: str) -> None:
        """Forget that the group's training was put off."""
        self._table.delete(RETRAINS_PUT_OFF, group)

    def _change(
        self, row: FileRow, put: dict[str, Value], epoch: int, states: Iterable[FileState], remove: tuple[str, ...] = ()
    ) -> bool:
        when = {"state": tuple(str(state) for state in states), "epoch": (ABSENT, AtMost(epoch))}
        put = {name: str(value) if isinstance(value, FileState) else value for name, value in put.items()}
        return self._table.change(row.dataset_key, row.entry, put=put, remove=remove, when=when)

    def _expiry(self, time: str) -> int:
        return int((datetime.fromisoformat(time) + self._keep).timestamp())
