"""Define the ledger's row of a file, and where in the table it lies: open rows apart from settled ones.

A row that is settled lies under its dataset in the order of keys, which is S3's. One that is open lies in one of the
dataset's few shards in the order of arrival, and only a marker stands in its place.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lambdas.bucket_layout import UPLOADS
from lambdas.gateways.table import Item, Value
from lambdas.names import cut_bytes, digest, shown

FILE: Final = "file#"
OPEN: Final = "open#"
REJECTED: Final = "rejected#"
# One partition takes 1,000 writes a second. The number may change only while nothing is open.
SHARDS: Final = 4
_LONGEST_REASON: Final = 2000  # characters
# DynamoDB's sort keys end at 1,024 bytes, S3's keys too, and we add to them.
_LONGEST_POSITION_BYTES: Final = 1000
_LONGEST_NAME_BYTES: Final = 900


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
    def shard(self) -> str:
        """Return the partition that the row lies in while it is open; all versions of one key have the same."""
        return open_shards(self.dataset_key)[int(digest(self.key), 16) % SHARDS]

    @property
    def place(self) -> str:
        """Return the row's sort key while it is open: the queue's order, and a digest for rows of the same position."""
        return f"{OPEN}{self.queue_position}#{digest(self.entry)}"

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
    return f"{FILE}{name}#"


def open_shards(dataset_key: str) -> list[str]:
    """Return the partitions that a dataset's open rows are spread over."""
    return [f"{dataset_key}#open#{number}" for number in range(SHARDS)]


def item_of(row: FileRow) -> Item:
    """Return a row as the table keeps it once it is settled."""
    values: dict[str, Value] = {
        name: value for name, value in vars(row).items() if value != "" and name not in {"dataset_key", "progress"}
    }
    return {**values, "state": str(row.state), "dataset": row.dataset_key, "entry": row.entry}


def open_item_of(row: FileRow) -> Item:
    """Return a row as the table keeps it while it is open."""
    return {**item_of(row), "dataset": row.shard, "entry": row.place}


def marker_of(row: FileRow) -> Item:
    """Return what stands in an open row's place under its dataset: that the object is known, and where its row lies."""
    key = {"dataset": row.dataset_key, "entry": row.entry}
    return {**key, "key": row.key, "version": row.version, "shard": row.shard, "place": row.place}


def rejected_item_of(row: FileRow) -> Item:
    """Return what stands in the list of a dataset's rejected files."""
    key = {"dataset": f"{row.dataset_key}#rejected", "entry": f"{REJECTED}{row.arrived}#{digest(row.entry)}"}
    return {**key, "key": row.key}


def row_of(item: Item, dataset_key: str) -> FileRow:
    """Return the row that an item, settled or open, keeps."""
    known = {name: item[name] for name in FileRow.__dataclass_fields__ if name in item}
    return FileRow(**{**known, "dataset_key": dataset_key, "state": FileState(str(item["state"]))})  # type: ignore[arg-type]
