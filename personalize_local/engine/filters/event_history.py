"""Find a user's newest events of each type in microseconds, for filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import DatasetType
from personalize_local.engine.interactions.histories import Ints, Longs, ascending, encode

NEWEST_EVENTS: Final[dict[DatasetType, int]] = {"INTERACTIONS": 100, "ACTION_INTERACTIONS": 300}  # the guide's figures
TARGET_COLUMN: Final[dict[DatasetType, str]] = {"INTERACTIONS": "ITEM_ID", "ACTION_INTERACTIONS": "ACTION_ID"}


@dataclass(frozen=True)
class EventHistory:
    """Events grouped by user: those of user u are at offsets[u] to before offsets[u + 1].

    `things` and `types` are positions in `thing_ids` and `type_names`; type names are in lower case, since filters do
    not tell case apart there.
    """

    user_ids: pl.Series
    positions: Mapping[str, int]  # in user_ids
    target_ids: pl.Series
    type_names: tuple[str, ...]
    offsets: Longs
    targets: Ints
    types: Ints
    times: Longs

    @staticmethod
    def of(events: pl.DataFrame, dataset_type: DatasetType) -> "EventHistory":
        """Return the newest events of each user and type."""
        user_ids, users = encode(events["USER_ID"])
        target_ids, targets = encode(events[TARGET_COLUMN[dataset_type]])
        names, types = _event_types(events)
        times = events["TIMESTAMP"].to_numpy()
        order = _newest(users.astype(np.int64) * max(len(names), 1) + types, times, NEWEST_EVENTS[dataset_type])
        offsets = np.searchsorted(users[order], np.arange(len(user_ids) + 1)).astype(np.int64)
        positions = {user_id: position for position, user_id in enumerate(user_ids.to_list())}
        return EventHistory(user_ids, positions, target_ids, names, offsets, targets[order], types[order], times[order])

    def events(self, user_id: str | None) -> slice:
        """Return where the user's events are; empty for an unknown user."""
        position = None if user_id is None else self.positions.get(user_id)
        return slice(0, 0) if position is None else slice(int(self.offsets[position]), int(self.offsets[position + 1]))

    def users_with(self, wanted: npt.NDArray[np.bool_]) -> pl.Series:
        """Return the users who have an event of a type marked True."""
        marked = np.concatenate([[0], np.cumsum(wanted[self.types])]) if len(self.types) else np.zeros(1, np.int64)
        return self.user_ids.filter(pl.Series(np.diff(marked[self.offsets]) > 0))

    def of_user(self, user_id: str, dataset_type: DatasetType) -> pl.DataFrame:
        """Return one user's events as rows."""
        own = self.events(user_id)
        return pl.DataFrame(
            {
                "USER_ID": pl.Series([user_id] * (own.stop - own.start), dtype=pl.String),
                TARGET_COLUMN[dataset_type]: self.target_ids.gather(self.targets[own]),
                "EVENT_TYPE": pl.Series([self.type_names[kind] for kind in self.types[own]], dtype=pl.String),
                "TIMESTAMP": pl.Series(self.times[own], dtype=pl.Int64),
            }
        )


def _event_types(events: pl.DataFrame) -> tuple[tuple[str, ...], Ints]:
    """Return the sorted names in lower case, and each event's position among them."""
    if "EVENT_TYPE" not in events.columns:
        return ("",), np.zeros(events.height, dtype=np.int32)
    given = events["EVENT_TYPE"]
    names, types = encode(given.fill_null("") if given.null_count() else given)
    lowered = [name.lower() for name in names.to_list()]
    distinct = sorted(set(lowered))
    return tuple(distinct), np.array([distinct.index(name) for name in lowered], dtype=np.int32)[types]


def _newest(groups: Longs, times: Longs, most: int) -> Longs:
    """Return the positions of the newest rows of each group, sorted by group."""
    by_time = ascending(-times)
    order = by_time[ascending(groups[by_time])]
    ordered = groups[order]
    first = np.searchsorted(ordered, ordered) if len(order) else ordered
    return order[np.arange(len(order)) - first < most]
