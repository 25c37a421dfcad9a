"""Gather what the ledger knows of a group's data, for a plan of its next run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.bucket_layout import dataset_key_of
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.import_history import ImportHistory


@dataclass(frozen=True)
class WaitingFiles:
    """Files that the next run imports into one dataset."""

    files: int
    size_bytes: int


@dataclass(frozen=True)
class GroupData:
    """When each dataset was last imported, what waits for each, and how many interactions imports brought.

    `interactions` is as much as the ledger remembers, and None where it remembers nothing.
    """

    imported: Mapping[str, datetime] = field(default_factory=dict)
    waiting: Mapping[str, WaitingFiles] = field(default_factory=dict)
    interactions: int | None = None


def group_data(ledger: Ledger, history: ImportHistory, group: str, datasets: Iterable[str]) -> GroupData:
    """Return what the ledger knows of a group's datasets."""
    rows = {name: ledger.unsettled(dataset_key_of(group, name)) for name in datasets}
    waiting = {
        name: WaitingFiles(len(files), sum(row.size_bytes for row in files)) for name, files in rows.items() if files
    }
    interactions = history.rows_imported(group, None, "interactions") or None
    return GroupData(history.newest(group), waiting, interactions)
