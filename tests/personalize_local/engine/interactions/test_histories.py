"""Strings as positions: few and many are encoded by different means, to the same end."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_local.engine.interactions import histories
from personalize_local.engine.interactions.histories import encode


@given(st.lists(st.text(max_size=4), max_size=20))
def test_few_strings_are_encoded_as_many_are(values: list[str]) -> None:
    column = pl.Series(values, dtype=pl.String)
    ids, positions = encode(column)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(histories, "_FEW", -1)
        many_ids, many_positions = encode(column)
    assert ids.to_list() == many_ids.to_list() == sorted(set(values))
    assert positions.tolist() == many_positions.tolist()
    assert (ids.dtype, positions.dtype) == (many_ids.dtype, many_positions.dtype)
