"""Look up what the datasets hold at this moment, for the filters of real-time questions."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import polars as pl

from personalize_local.engine.api import DatasetRef, DatasetType, FilterUse, Query
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import merge, of_kind
from personalize_local.engine.datasets.schema import Schema, parse_schema
from personalize_local.engine.filters.event_history import TARGET_COLUMN, EventHistory
from personalize_local.engine.filters.filter_masks import BoundFilter, ItemFilter
from personalize_local.engine.filters.filter_parser import parse_filter
from personalize_local.engine.filters.snapshot_rows import read_history

_KEPT_GROUPS: Final = 4  # each may hold the events of all users
_KEPT_FILTERS: Final = 64


class CurrentRows:
    """Binds filters to live rows; what a filter looks up is kept until the rows change."""

    def __init__(self, store: DatasetStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._rows: OrderedDict[tuple[DatasetRef, ...], _StoredRows] = OrderedDict()
        self._bound: OrderedDict[tuple[object, ...], BoundFilter] = OrderedDict()

    def bind(self, datasets: Sequence[DatasetRef], use: FilterUse, query: Query) -> ItemFilter:
        """Return the filter for the query's user and item and the use's values."""
        with self._lock:
            group = tuple(datasets)
            rows = _kept(self._rows, group, lambda: _StoredRows(self._store, group), _KEPT_GROUPS)
            key = (use.expression, id(rows))
            bound = _kept(self._bound, key, lambda: BoundFilter(parse_filter(use.expression), rows), _KEPT_FILTERS)
            return bound.for_query(query.user_id, query.item_id, use.values)


Key = TypeVar("Key")
Value = TypeVar("Value")


def _kept(known: OrderedDict[Key, Value], key: Key, make: Callable[[], Value], most: int) -> Value:
    """Return the value of the key, made if need be; the values used least recently are forgotten."""
    if key not in known:
        known[key] = make()
        while len(known) > most:
            known.popitem(last=False)
    known.move_to_end(key)
    return known[key]


class _StoredRows:
    """The rows of a group's datasets, read again when they changed."""

    def __init__(self, store: DatasetStore, datasets: Sequence[DatasetRef]) -> None:
        self._store = store
        self._refs = {ref.type: ref for ref in datasets}
        self.schemas: Mapping[DatasetType, Schema] = {ref.type: parse_schema(ref.schema) for ref in datasets}
        self._lock = threading.Lock()  # what one question reads, the next one waits for and shares
        self._tables: dict[DatasetType, tuple[object, pl.DataFrame | None]] = {}
        self._histories: dict[DatasetType, tuple[object, EventHistory | None]] = {}

    def table(self, dataset_type: DatasetType) -> pl.DataFrame | None:
        """Return the newest row of each id."""
        if dataset_type not in self._refs:
            return None
        dataset, schema = self._store.dataset(self._refs[dataset_type]), self.schemas[dataset_type]
        with self._lock, dataset.reading(schema) as log_files:
            if dataset_type not in self._tables or self._tables[dataset_type][0] != log_files:
                rows = merge(log_files, schema, dataset_type)
                self._tables[dataset_type] = log_files, None if rows is None else rows.collect()
        return self._tables[dataset_type][1]

    def history(self, dataset_type: DatasetType, user_id: str | None) -> EventHistory | None:
        """Return the imported events of everybody, or of the user alone when some were streamed too."""
        if dataset_type not in self._refs:
            return None
        dataset, schema = self._store.dataset(self._refs[dataset_type]), self.schemas[dataset_type]
        with self._lock, dataset.reading(schema, streamed=False) as log_files:
            bulk = of_kind(log_files, "BULK")
            if dataset_type not in self._histories or self._histories[dataset_type][0] != bulk:
                self._histories[dataset_type] = bulk, read_history(merge(bulk, schema, dataset_type), dataset_type)
        imported = self._histories[dataset_type][1]
        streamed = dataset.recent(schema, user_id, 0) if user_id is not None else None
        if user_id is None or streamed is None:
            return imported
        return _joined(imported, streamed, user_id, dataset_type)


def _joined(
    imported: EventHistory | None, streamed: pl.DataFrame, user_id: str, dataset_type: DatasetType
) -> EventHistory:
    columns = [
        name for name in ("USER_ID", TARGET_COLUMN[dataset_type], "EVENT_TYPE", "TIMESTAMP") if name in streamed.columns
    ]
    rows = [streamed.select(columns)]
    if imported is not None:
        rows.append(imported.of_user(user_id, dataset_type).select(columns))
    return EventHistory.of(pl.concat(rows), dataset_type)
