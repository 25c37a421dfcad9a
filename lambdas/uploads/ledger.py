"""Keep the ledger: a row per version of an uploaded object, from its announcement to what became of it.

Any event or sweep makes rows; after that only the holder of the dataset's lease changes them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from lambdas.gateways.table import ABSENT, AtMost, Condition, Delete, Item, Put, Table, Value
from lambdas.uploads.records.file_row import (
    OPEN,
    REJECTED,
    FileRow,
    FileState,
    cut,
    entry_prefix,
    item_of,
    marker_of,
    open_item_of,
    open_shards,
    rejected_item_of,
    row_of,
)

DATASET_KEYS: Final = "datasets"  # the partition that lists the datasets the ledger knows
DEFAULT_DAYS: Final = 90
_MOST_LISTED: Final = 1000  # rejected files that are asked after
_LAST: Final = "\U0010ffff"  # sorts behind whatever an entry ends with


@dataclass(frozen=True)
class Waiting:
    """How much waits or is being imported, and when the oldest file of it came; rows are those of inspected files."""

    files: int
    rows: int
    oldest: str | None

    def longest(self, now: datetime) -> timedelta:
        """Return how long the oldest file has waited; nothing when none waits."""
        return now - datetime.fromisoformat(self.oldest) if self.oldest else timedelta()


class Ledger:
    """The record of all uploaded files: reads and writes their rows.

    Settled rows expire `keep_days` after they were settled; others never do.
    """

    def __init__(self, table: Table, keep_days: int = DEFAULT_DAYS) -> None:
        self._table = table
        self._keep = timedelta(days=keep_days)

    def record(self, row: FileRow) -> bool:
        """Write down a new version of an object; False when it is known already."""
        return self._table.commit(Put(marker_of(row), when={"entry": ABSENT}), Put(open_item_of(row)))

    def record_rejected(self, row: FileRow, reason: str) -> bool:
        """Write down an object that cannot be imported, whatever is in it."""
        return self._record_settled(row, FileState.REJECTED, reason)

    def record_ignored(self, row: FileRow) -> bool:
        """Write down an object that is no data, so that whoever asks what became of it is told."""
        return self._record_settled(row, FileState.IGNORED, "its name says that it describes other files")

    def record_started(self, row: FileRow) -> bool:
        """Write down an object that has started the machine that it is for."""
        return self._record_settled(row, FileState.STARTED, "")

    def record_rewritten(self, row: FileRow, old: FileRow | None, time: str, epoch: int) -> None:
        """Settle a version that we wrote ourselves as the one it replaces, whether or not its event came first."""
        state = old.state if old else FileState.IMPORTED
        reason = "users were forgotten in it; what is left had been looked after before"
        if self._record_settled(row, state, reason):
            return
        for known in self.versions(row.dataset_key, row.key):
            if known.version == row.version and known.state is FileState.WAITING:
                self.settle(known, state, time, epoch=epoch, reason=reason)

    def _record_settled(self, row: FileRow, state: FileState, reason: str) -> bool:
        settled = replace(row, state=state, reason=cut(reason), settled=row.arrived)
        return self._table.create({**item_of(settled), "expires_at": self._expiry(row.arrived)})

    def know_dataset(self, dataset_key: str) -> None:
        """Remember that there is such a dataset, so that a sweep need not search for it."""
        self._table.create({"dataset": DATASET_KEYS, "entry": dataset_key})

    def dataset_keys(self) -> list[str]:
        """Return every dataset that a file was recorded for."""
        return [str(item["entry"]) for item in self._table.entries(DATASET_KEYS)]

    def unsettled(self, dataset_key: str) -> list[FileRow]:
        """Return what waits or is being imported, in the order of arrival."""
        items = (item for shard in open_shards(dataset_key) for item in self._table.entries(shard, OPEN))
        return sorted((row_of(item, dataset_key) for item in items), key=lambda row: row.queue_position)

    def waiting(self, dataset_key: str) -> Waiting:
        """Return how much waits or is being imported."""
        files, rows, oldest = 0, 0, None
        for shard in open_shards(dataset_key):
            for item in self._table.entries(shard, OPEN):
                row = row_of(item, dataset_key)
                files, rows = files + 1, rows + max(0, row.rows)
                oldest = min(filter(None, (oldest, row.arrived)))
        return Waiting(files, rows, oldest)

    def has_unsettled(self, dataset_key: str) -> bool:
        """Say whether anything waits or is being imported."""
        return any(self._table.has_entries(shard, OPEN) for shard in open_shards(dataset_key))

    def versions(self, dataset_key: str, key: str) -> Iterator[FileRow]:
        """Answer "what happened to my file": every version of it that is remembered."""
        for item in self._table.entries(dataset_key, entry_prefix(dataset_key, key)):
            if found := self._follow(item):
                yield row_of(found, dataset_key)

    def rejected(self, dataset_key: str, most: int = 100) -> list[FileRow]:
        """Return files that were rejected and not replaced since, the first so many that are remembered."""
        listed = self._table.entries(f"{dataset_key}#rejected", REJECTED)
        keys = dict.fromkeys(str(item["key"]) for item in islice(listed, _MOST_LISTED))
        newest = (self._newest(dataset_key, key) for key in keys)
        return list(islice((row for row in newest if row and row.state is FileState.REJECTED), most))

    def _newest(self, dataset_key: str, key: str) -> FileRow | None:
        newest: FileRow | None = None
        for row in self.versions(dataset_key, key):
            newest = row if newest is None or row.is_newer_than(newest) else newest
        return newest

    def _follow(self, item: Item) -> Item | None:
        """Return the item that keeps the row, which a marker names; it may be settled between two looks."""
        if "place" not in item:
            return item
        opened = self._table.get(str(item["shard"]), str(item["place"]))
        return opened or self._table.get(str(item["dataset"]), str(item["entry"]))

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
        settled = replace(row, state=state, settled=time, reason=cut(reason), job_arn=job_arn, epoch=epoch)
        item: Item = {**item_of(settled), "expires_at": self._expiry(time)}
        opened = Delete(row.shard, row.place, when=_may_change(epoch, FileState.WAITING, FileState.CLAIMED))
        if state is not FileState.REJECTED:
            return self._table.commit(opened, Put(item))
        listed: Item = {**rejected_item_of(settled), "expires_at": self._expiry(time)}
        return self._table.commit(opened, Put(item), Put(listed))

    def _change(self, row: FileRow, put: dict[str, Value], epoch: int, states: Sequence[FileState]) -> bool:
        put = {name: str(value) if isinstance(value, FileState) else value for name, value in put.items()}
        return self._table.change(row.shard, row.place, put=put, when=_may_change(epoch, *states))

    def _expiry(self, time: str) -> int:
        return int((datetime.fromisoformat(time) + self._keep).timestamp())


def _may_change(epoch: int, *states: FileState) -> Condition:
    return {"state": tuple(str(state) for state in states), "epoch": (ABSENT, AtMost(epoch))}
