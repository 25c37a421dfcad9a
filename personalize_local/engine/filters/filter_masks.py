"""Compute which items, actions or users a filter lets through.

INCLUDE rules are united, EXCLUDE rules are united, and the second is taken from the first. A rule whose IF does not
hold for the user is as if it were not there.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import DatasetType, FilterUse
from personalize_local.engine.datasets.schema import Schema
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.filters.event_history import EventHistory
from personalize_local.engine.filters.filter_expressions import Resolved, column_of, passing
from personalize_local.engine.filters.filter_parser import parse_filter
from personalize_local.engine.filters.filter_rules import CurrentItem, Filter, FilterRule, FilterTest, Target
from personalize_local.engine.filters.filter_values import applies, operands_of, parse_values
from personalize_local.engine.filters.snapshot_rows import SnapshotRows
from personalize_local.engine.interactions.histories import find

Mask = npt.NDArray[np.bool_]

_KEPT_MASKS: Final = 64
_TABLES: Final[Mapping[Target, tuple[DatasetType, str]]] = {
    "ITEM": ("ITEMS", "ITEM_ID"),
    "USER": ("USERS", "USER_ID"),
    "ACTION": ("ACTIONS", "ACTION_ID"),
}


class FilterRows(Protocol):
    """Where filters look things up."""

    @property
    def schemas(self) -> Mapping[DatasetType, Schema]:
        """The schemas of the group's datasets."""

    def table(self, dataset_type: DatasetType) -> pl.DataFrame | None:
        """Return the newest row of each id; the same object while nothing changed."""

    def history(self, dataset_type: DatasetType, user_id: str | None) -> EventHistory | None:
        """Return events that include all of the user's; the same object while nothing changed."""


@dataclass(frozen=True)
class ItemFilter:
    """A filter bound to one question: its user, current item and values."""

    bound: "BoundFilter"
    user_id: str | None
    item_id: str | None
    values: Mapping[str, str]

    def mask(self, item_ids: pl.Series) -> Mask:
        """Return which of the items, or actions, may be recommended."""
        return self.bound.mask(item_ids, self)


class BoundFilter:
    """A filter and the rows it looks at. What does not depend on the user is computed once per series of ids."""

    def __init__(self, chosen: Filter, rows: FilterRows) -> None:
        self._rules = chosen.rules
        self._rows = rows
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], tuple[object, object, Any]] = OrderedDict()

    @property
    def per_user(self) -> bool:
        """Whether the answer differs between users or current items."""
        return any(rule.personal for rule in self._rules)

    def for_query(self, user_id: str | None, item_id: str | None, values: Mapping[str, str]) -> ItemFilter:
        """Return the filter for one question; values that are missing or unreadable are a FilterError."""
        for rule in self._rules:
            if applies(rule, values):
                for name in rule.placeholders:
                    parse_values(name, values[name])
        return ItemFilter(self, user_id, item_id, values)

    def user_mask(self, user_ids: pl.Series, values: Mapping[str, str]) -> Mask:
        """Return which of the users may be in a segment."""
        return self.mask(user_ids, ItemFilter(self, None, None, values))

    def mask(self, ids: pl.Series, query: ItemFilter) -> Mask:
        """Return which of the ids the filter lets through."""
        included: Mask | None = None
        excluded = np.zeros(len(ids), dtype=np.bool_)
        for rule in self._rules:
            if not applies(rule, query.values) or not self._holds(rule, query):
                continue
            passed = self._passed(rule, ids, query)
            if rule.include:
                included = passed if included is None else included | passed
            else:
                excluded = excluded | passed
        return ~excluded if included is None else included & ~excluded

    def _holds(self, rule: FilterRule, query: ItemFilter) -> bool:
        """Return whether the user passes the rule's IF."""
        if not rule.when:
            return True
        users = self._rows.table("USERS")
        if users is None:
            return False
        resolved = self._resolved((rule.when,), query)
        chosen = passing(resolved, self._rows.schemas["USERS"])
        passed: frozenset[str] = self._keep(
            users, None, ("when", resolved), lambda: frozenset(users.filter(chosen)["USER_ID"].to_list())
        )
        return query.user_id in passed

    def _passed(self, rule: FilterRule, ids: pl.Series, query: ItemFilter) -> Mask:
        if rule.dataset.endswith("INTERACTIONS"):
            return self._passed_events(rule, ids, query)
        dataset_type, key = _TABLES[rule.target]
        table = self._rows.table(dataset_type)
        if table is None:
            return np.zeros(len(ids), dtype=np.bool_)
        resolved = self._resolved(rule.alternatives, query)
        schema = self._rows.schemas[dataset_type]

        def compute() -> Mask:
            chosen = table.filter(passing(resolved, schema))[key]
            return ids.is_in(chosen.implode()).to_numpy()

        mask: Mask = self._keep(table, ids, ("table", resolved), compute)
        return mask

    def _passed_events(self, rule: FilterRule, ids: pl.Series, query: ItemFilter) -> Mask:
        history = self._rows.history(rule.dataset, query.user_id)
        passed = np.zeros(len(ids) + 1, dtype=np.bool_)  # one more, for things that are not among the ids
        if history is None:
            return passed[:-1]
        resolved = self._resolved(rule.alternatives, query)
        wanted: Mask = self._keep(history, None, ("types", resolved), lambda: _types(history.type_names, resolved))
        if rule.target == "USER":
            return ids.is_in(history.users_with(wanted).implode()).to_numpy()
        positions = self._keep(history, ids, ("places",), lambda: _positions(ids, history.target_ids))
        own = history.events(query.user_id)
        passed[positions[history.targets[own][wanted[history.types[own]]]]] = True
        return passed[:-1]

    def _resolved(self, alternatives: tuple[tuple[FilterTest, ...], ...], query: ItemFilter) -> Resolved:
        looks_at_item = any(
            isinstance(operand, CurrentItem) for tests in alternatives for test in tests for operand in test.operands
        )
        item = self._item(query.item_id) if looks_at_item else {}
        schemas = self._rows.schemas
        return tuple(
            tuple(
                (test, operands_of(test, column_of(test, schemas[test.dataset]), query.values, item))
                for test in alternative
            )
            for alternative in alternatives
        )

    def _item(self, item_id: str | None) -> Mapping[str, Any]:
        """Return the current item's row, column names in upper case."""
        items = self._rows.table("ITEMS")
        if item_id is None or items is None:
            return {}
        positions: dict[str, int] = self._keep(
            items,
            None,
            ("items",),
            lambda: {name: position for position, name in enumerate(items["ITEM_ID"].to_list())},
        )
        if item_id not in positions:
            return {}
        return {name.upper(): value for name, value in items.row(positions[item_id], named=True).items()}

    def _keep(self, rows: object, ids: object, key: tuple[object, ...], compute: Callable[[], Any]) -> Any:
        """Return what `compute` gave for these very objects before, or compute it.

        Rows that changed take the place of the old ones, so that those can be forgotten; several series of ids have
        each its own.
        """
        cache_key = (id(ids), *key)
        kept = self._kept.get(cache_key)
        if kept is None or kept[0] is not rows or kept[1] is not ids:
            kept = rows, ids, compute()
            with self._lock:
                self._kept[cache_key] = kept
                while len(self._kept) > _KEPT_MASKS:
                    self._kept.popitem(last=False)
        return kept[2]


def bind_filter(use: FilterUse, live: Snapshot) -> BoundFilter:
    """Return the filter, ready to be asked about the snapshot's rows; the use's values are for the caller to pass."""
    return BoundFilter(parse_filter(use.expression), SnapshotRows(live))


def _types(names: tuple[str, ...], resolved: Resolved) -> Mask:
    """Return for each event type whether it passes."""
    return np.array(
        [any(all(_is_type(name, *test) for test in tests) for tests in resolved) for name in names], np.bool_
    )


def _is_type(name: str, test: FilterTest, operands: tuple[str | float, ...]) -> bool:
    inside = test.any_value or name in {str(operand).lower() for operand in operands}
    return inside == (test.operator in {"IN", "="})


def _positions(ids: pl.Series, wanted: pl.Series) -> npt.NDArray[np.int64]:
    """Return where each wanted id, which are sorted, is in ids; len(ids) for those that are not there."""
    places = find(wanted, ids)
    known = np.flatnonzero(places >= 0)
    positions = np.full(len(wanted), len(ids), dtype=np.int64)
    positions[places[known]] = known
    return positions
