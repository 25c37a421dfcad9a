"""Look up the rows of a snapshot for filters: read once, when first needed."""

from collections.abc import Mapping, Sequence

import polars as pl

from personalize_local.engine.api import DatasetType
from personalize_local.engine.datasets.schema import Schema
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.filters.event_history import TARGET_COLUMN, EventHistory


class SnapshotRows:
    """The rows that filters look up in a snapshot, which never change."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._tables: dict[DatasetType, pl.DataFrame | None] = {}
        self._histories: dict[DatasetType, EventHistory | None] = {}

    @property
    def schemas(self) -> Mapping[DatasetType, Schema]:
        """The schemas of the snapshot's datasets."""
        return self._snapshot.schemas

    def table(self, dataset_type: DatasetType) -> pl.DataFrame | None:
        """Return the newest row of each id."""
        if dataset_type not in self._tables:
            rows = self._snapshot.rows(dataset_type)
            self._tables[dataset_type] = None if rows is None else rows.collect(engine="streaming")
        return self._tables[dataset_type]

    def history(self, dataset_type: DatasetType, _user_id: str | None) -> EventHistory | None:
        """Return everybody's newest events."""
        if dataset_type not in self._histories:
            self._histories[dataset_type] = read_history(self._snapshot.rows(dataset_type), dataset_type)
        return self._histories[dataset_type]


def read_history(rows: pl.LazyFrame | None, dataset_type: DatasetType) -> EventHistory | None:
    """Return the newest events among the rows."""
    if rows is None:
        return None
    columns = history_columns(rows.collect_schema().names(), dataset_type)
    return EventHistory.of(rows.select(columns).collect(engine="streaming"), dataset_type)


def history_columns(present: Sequence[str], dataset_type: DatasetType) -> list[str]:
    """Return the columns that a history is made of; the type of an event only where rows have one."""
    columns = ("USER_ID", TARGET_COLUMN[dataset_type], "EVENT_TYPE", "TIMESTAMP")
    return [name for name in columns if name in present]
