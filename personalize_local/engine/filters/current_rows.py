"""Look up what the datasets hold at this moment, for the filters of real-time questions."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Final, TypeVar

import polars as pl

from personalize_local.engine.api import DatasetRef, DatasetType, FilterUse, Query
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile, merge, of_kind
from personalize_local.engine.datasets.schema import Schema, parse_schema
from personalize_local.engine.filters.event_history import TARGET_COLUMN, EventHistory
from personalize_local.engine.filters.filter_masks import BoundFilter, ItemFilter
from personalize_local.engine.filters.filter_parser import parse_filter
from personalize_local.engine.filters.filter_warmup import warm_up_filters
from personalize_local.engine.filters.snapshot_rows import history_columns, read_history

_KEPT_GROUPS: Final = 4  # each may hold the events of all users
_KEPT_FILTERS: Final = 64
_KEPT_USERS: Final = 256  # whose own events are kept, while everybody's do not do
_FEW_ROWS: Final = 50_000  # of items or users that are kept in memory although no filter may ever ask for them
_FEW_EVENTS: Final = 500_000  # likewise: some 10 MB
_HEAD_START_SECONDS: Final = (
    0.02  # for the question that has everybody's events read: both would wait for Python's lock
)


class CurrentRows:
    """Binds filters to live rows; what a filter looks up is kept until the rows change."""

    def __init__(self, store: DatasetStore, background: Executor) -> None:
        self._store = store
        self._background = background
        self._lock = threading.Lock()
        self._rows: OrderedDict[tuple[DatasetRef, ...], _StoredRows] = OrderedDict()
        self._bound: OrderedDict[tuple[object, ...], BoundFilter] = OrderedDict()

    def bind(self, datasets: Sequence[DatasetRef], use: FilterUse, query: Query) -> ItemFilter:
        """Return the filter for the query's user and item and the use's values."""
        with self._lock:
            rows = self._stored(tuple(datasets))
            key = (use.expression, id(rows))
            bound = _kept(self._bound, key, lambda: BoundFilter(parse_filter(use.expression), rows), _KEPT_FILTERS)
            return bound.for_query(query.user_id, query.item_id, use.values)

    def prepare(self, datasets: Sequence[DatasetRef]) -> None:
        """Make ready what the first filter would wait for: in the background, rows that are few."""
        with self._lock:
            rows = self._stored(tuple(datasets))
        self._background.submit(rows.prepare)
        warm_up_filters()

    def _stored(self, group: tuple[DatasetRef, ...]) -> "_StoredRows":
        return _kept(self._rows, group, lambda: _StoredRows(self._store, group, self._background), _KEPT_GROUPS)


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

    def __init__(self, store: DatasetStore, datasets: Sequence[DatasetRef], background: Executor) -> None:
        self._store = store
        self._background = background
        self._refs = {ref.type: ref for ref in datasets}
        self.schemas: Mapping[DatasetType, Schema] = {ref.type: parse_schema(ref.schema) for ref in datasets}
        self._lock = threading.Lock()  # what one question reads, the next one waits for and shares
        self._tables: dict[DatasetType, tuple[object, pl.DataFrame | None]] = {}
        self._histories: dict[DatasetType, tuple[Sequence[LogFile], EventHistory | None]] = {}
        self._of_one: dict[tuple[DatasetType, str], tuple[Sequence[LogFile], object, EventHistory | None]] = {}
        self._being_read: set[DatasetType] = set()

    def prepare(self) -> None:
        """Read what is not much."""
        for dataset_type, ref in self._refs.items():
            dataset, schema = self._store.dataset(ref), self.schemas[dataset_type]
            if dataset_type not in TARGET_COLUMN and dataset.stored_rows <= _FEW_ROWS:
                self.table(dataset_type)
            elif dataset_type in TARGET_COLUMN and dataset.stored_rows <= _FEW_EVENTS:
                with dataset.reading(schema, streamed=False) as log_files:
                    self._everybody(dataset_type, of_kind(log_files, "BULK"), 0.0)

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
        """Return the imported events of everybody; of the user alone when some were streamed, or not all are read yet.

        Reading everybody's takes seconds where there are millions; one user's are found in milliseconds.
        """
        if dataset_type not in self._refs or user_id is None:
            return None
        dataset, schema = self._store.dataset(self._refs[dataset_type]), self.schemas[dataset_type]
        streamed = dataset.recent(schema, user_id, 0)
        with dataset.reading(schema, streamed=False) as log_files:
            bulk = of_kind(log_files, "BULK")
            everybody = self._everybody(dataset_type, bulk)
            if everybody is not None and streamed is None:
                return everybody
            known = self._of_one.pop((dataset_type, user_id), None)
            if known is None or known[0] != bulk or known[1] is not streamed:
                imported = _imported(everybody, bulk, schema, dataset_type, user_id)
                known = bulk, streamed, _joined(streamed, imported, schema, dataset_type)
        self._of_one[dataset_type, user_id] = known  # the youngest now
        if len(self._of_one) > _KEPT_USERS:
            self._of_one.pop(next(iter(self._of_one)), None)
        return known[2]

    def _everybody(
        self, dataset_type: DatasetType, bulk: Sequence[LogFile], wait_seconds: float = _HEAD_START_SECONDS
    ) -> EventHistory | None:
        """Return the imported events; None when these files are not read yet, which is begun."""
        with self._lock:
            files, history = self._histories.get(dataset_type, ([], None))
            if files != bulk and dataset_type not in self._being_read:
                self._being_read.add(dataset_type)
                self._background.submit(self._read_everybody, dataset_type, wait_seconds)
            return history if files == bulk else None

    def _read_everybody(self, dataset_type: DatasetType, wait_seconds: float) -> None:
        dataset, schema = self._store.dataset(self._refs[dataset_type]), self.schemas[dataset_type]
        time.sleep(wait_seconds)
        try:
            with dataset.reading(schema, streamed=False) as log_files:
                bulk = of_kind(log_files, "BULK")
                history = read_history(merge(bulk, schema, dataset_type), dataset_type)
            self._histories[dataset_type] = bulk, history
        finally:
            self._being_read.discard(dataset_type)  # after a failure, the next question has it read again


def _imported(
    everybody: EventHistory | None, bulk: Sequence[LogFile], schema: Schema, dataset_type: DatasetType, user_id: str
) -> pl.DataFrame | None:
    """Return one user's events, from the files while not everybody's are read."""
    if everybody is not None:
        return everybody.of_user(user_id, dataset_type)
    rows = merge(bulk, schema, dataset_type)
    columns = history_columns(schema.columns, dataset_type)
    return None if rows is None else rows.filter(pl.col("USER_ID") == user_id).select(columns).collect()


def _joined(
    streamed: pl.DataFrame | None, imported: pl.DataFrame | None, schema: Schema, dataset_type: DatasetType
) -> EventHistory | None:
    columns = history_columns(schema.columns, dataset_type)
    rows = [frame[columns] for frame in (streamed, imported) if frame is not None]
    if not rows:
        return None
    return EventHistory.of(pl.concat(rows) if len(rows) > 1 else rows[0], dataset_type)
