"""Forget what the ledger and the bucket keep of a dataset group that is gone, when somebody says so."""

from collections.abc import Callable, Iterator
from typing import Final

from lambdas.bucket_layout import DATASETS, REJECTED, RESULTS, RUNS, STAGING, UPLOADS, dataset_key_of, request_key
from lambdas.gateways.table import Table
from lambdas.gateways.versioned_objects import VersionedObjects
from lambdas.uploads.lease import ENTRY
from lambdas.uploads.ledger import DATASET_KEYS
from lambdas.uploads.records.file_row import open_shards

_FOLDERS: Final = (UPLOADS, STAGING, RESULTS, REJECTED, RUNS)


def clear_records(table: Table, group: str, is_late: Callable[[], bool]) -> bool:
    """Delete the group's rows; False when time ran out. Leases stay: their epochs refuse what late executions write."""
    for partition in _partitions(group):
        for item in list(table.entries(partition)):
            if is_late():
                return False
            if item["entry"] != ENTRY:
                table.delete(partition, str(item["entry"]))
    for dataset in DATASETS:
        table.delete(DATASET_KEYS, dataset_key_of(group, dataset))
    return True


def _partitions(group: str) -> Iterator[str]:
    for kind in (*DATASETS, "batch", "imports"):
        dataset_key = dataset_key_of(group, kind)
        yield from (dataset_key, f"{dataset_key}#rejected", *open_shards(dataset_key))
    yield f"{group}#releases"


def clear_files(bucket: VersionedObjects, group: str, is_late: Callable[[], bool]) -> bool:
    """Erase the group's objects with all their versions; False when time ran out."""
    for prefix in (request_key(group), *(f"{folder}{group}/" for folder in _FOLDERS)):
        while not bucket.erase_below(prefix):
            if is_late():
                return False
    return True
