"""Which lines name a user, and what is left of an upload."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.groups.user_erasure import UserErasure
from lambdas.groups.user_list import check_user_list, listed_users

USER = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n\\"), min_size=1).filter(
    lambda text: text.splitlines() == [text]
)
NOTHING: Any = None


def erasure(*users: str) -> UserErasure:
    return UserErasure(NOTHING, NOTHING, NOTHING, frozenset(users), lambda _: 0, "")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"7,film,1700000000\n", True),
        (b'"7",film,1700000000\n', True),
        (b"17,film,1700000007\n", False),
        (b'{"input":{"userId":"7"},"output":{"recommendedItems":["1"],"scores":[0.7]}}\n', True),
        (b'{"input":{"itemId":"1"},"output":{"usersList":["3","7"]}}\n', True),
        (b'{"input":{"userId":"77"},"output":{"scores":[7,0.7]}}\n', False),
        (b"line 2, column USER_ID, value '7': too odd\n", True),
        (b'      "value": "7",\n', True),
        (b"line 7, column USER_ID, value '8': too odd\n", False),
    ],
)
def test_a_user_is_a_whole_cell_or_text_and_not_a_part_of_one(line: bytes, *, named: bool) -> None:
    assert erasure("7")._names_user(line) is named


@given(st.sets(USER, min_size=1), st.sets(USER))
def test_lines_of_the_users_go_and_all_others_stay(gone: set[str], others: set[str]) -> None:
    def line(user: str) -> bytes:
        quoted = user.replace('"', '""')
        return f'"{quoted}",film\n'.encode()

    mixed = [b"USER_ID,ITEM_ID\n", *(line(user) for user in sorted(gone | others))]
    kept = list(erasure(*gone)._without(iter(mixed), 0))
    assert kept == [mixed[0], *(line(user) for user in sorted(others - gone))]


@given(st.sets(USER.filter(lambda text: len(text) <= 256), min_size=1))
def test_a_list_that_passes_the_check_is_read_whole(users: set[str]) -> None:
    rows = "".join('"{}"\n'.format(user.replace('"', '""')) for user in sorted(users))
    text = f"USER_ID\n{rows}".encode()
    if check_user_list(iter([text])).faults == 0:
        assert listed_users(iter([text[:5], text[5:]])) == users
