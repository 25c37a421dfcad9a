"""Strings as positions and numbers in order: by different means, to the same end."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_local.engine.interactions import histories
from personalize_local.engine.interactions.histories import ascending, encode


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


WHOLE = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.integers(2**62, 2**62 + 5))


@given(st.lists(WHOLE, max_size=30))
def test_numbers_in_order_are_those_of_a_stable_sort(values: list[int]) -> None:
    numbers = np.array(values, dtype=np.int64)
    assert ascending(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()
