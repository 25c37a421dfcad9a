"""Membership in a categorical column: the parts between `|`, letter by letter, whatever letters those are."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.engine.filters.filter_expressions import passing
from personalize_local.engine.filters.filter_rules import FilterTest

LETTERS = st.text(alphabet="ab|.*+?()[]{}^$\\-# \nÄé", max_size=6)
SCHEMA = Schema("Items", (Field("TAGS", "string", categorical=True),))


@given(cells=st.lists(st.none() | LETTERS, min_size=1, max_size=8), values=st.lists(LETTERS, min_size=1, max_size=4))
def test_a_category_is_one_whole_part(cells: list[str | None], values: list[str]) -> None:
    table = pl.DataFrame({"TAGS": pl.Series(cells, dtype=pl.String)})
    for operator, inside in (("IN", True), ("NOT IN", False)):
        test = FilterTest("ITEMS", "TAGS", operator, tuple(values), 1)  # type: ignore[arg-type] # one of the operators
        passed = table.select(passing((((test, tuple(values)),),), SCHEMA)).to_series().to_list()
        assert passed == [
            cell is not None and any(part in values for part in cell.split("|")) == inside for cell in cells
        ]
