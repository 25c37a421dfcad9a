"""Use every part of a filter once: what a process does for the first time takes it several times as long."""

from functools import cache
from typing import Final

import polars as pl

from personalize_local.engine.api import DatasetType
from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.engine.filters.event_history import EventHistory
from personalize_local.engine.filters.filter_masks import BoundFilter, Mask
from personalize_local.engine.filters.filter_parser import parse_filter

_EXPRESSION: Final = (
    'INCLUDE ItemID WHERE Items.A IN ("a", $B) AND Items.C NOT IN (1) OR Items.D IN CurrentItem.D AND Items.C < 2'
    " IF CurrentUser.E > 2 | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)"
)


class _ExampleRows:
    """A few rows of each dataset that the expression looks at."""

    def __init__(self) -> None:
        text, number = Field("ITEM_ID", "string"), Field("C", "float")
        category, word = Field("A", "string", categorical=True), Field("D", "string")
        self.schemas: dict[DatasetType, Schema] = {
            "ITEMS": Schema("Items", (text, category, number, word)),
            "USERS": Schema("Users", (Field("USER_ID", "string"), Field("E", "int"))),
            "INTERACTIONS": Schema("Interactions", (Field("EVENT_TYPE", "string"),)),
        }
        items = {"ITEM_ID": ["i", "j"], "A": ["a|b", "b"], "C": [1.0, 3.0], "D": ["d", "e"]}
        events = {"USER_ID": ["u", "v"], "ITEM_ID": ["i", "j"], "EVENT_TYPE": ["Watch", "buy"], "TIMESTAMP": [1, 2]}
        self._tables = {"ITEMS": pl.DataFrame(items), "USERS": pl.DataFrame({"USER_ID": ["u"], "E": [3]})}
        self._history = EventHistory.of(pl.DataFrame(events), "INTERACTIONS")

    def table(self, dataset_type: DatasetType) -> pl.DataFrame | None:
        """Return the rows."""
        return self._tables[dataset_type]

    def history(self, _dataset_type: DatasetType, _user_id: str | None) -> EventHistory | None:
        """Return the events."""
        return self._history


@cache
def warm_up_filters() -> Mask:
    """Answer a question with an example of a filter, once per process, and return its mask, bool of two items."""
    bound = BoundFilter(parse_filter(_EXPRESSION), _ExampleRows())
    return bound.for_query("u", "j", {"B": '"b"'}).mask(pl.Series(["i", "j"]))
