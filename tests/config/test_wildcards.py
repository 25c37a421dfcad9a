"""Patterns of IAM: two intersect exactly when some text matches both."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.wildcards import intersect

PATTERNS = st.text("ab*?", max_size=6)
TEXTS = [""]
for _ in range(6):
    TEXTS += [text + letter for text in TEXTS if len(text) == len(TEXTS[-1]) for letter in "ab"]


def matching(pattern: str) -> set[str]:
    """Return the short texts of two letters that match, by Python's own expressions."""
    expression = re.compile("".join({"*": ".*", "?": "."}.get(one, one) for one in pattern))
    return {text for text in TEXTS if expression.fullmatch(text)}


@given(PATTERNS, PATTERNS)
def test_patterns_intersect_when_a_text_matches_both(one: str, other: str) -> None:
    """Six letters decide for patterns without two stars each; with more, a shared text may be longer."""
    shared = matching(one) & matching(other)
    assert not shared or intersect(one, other)
    if len(one.replace("*", "")) + len(other.replace("*", "")) <= 6:
        assert bool(shared) == intersect(one, other)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("dev-*", "prod-*", False),
        ("dev-*", "dev-eu-*", True),
        ("solution/dev-*/*", "solution/prod-*", False),
        ("*/dev-*", "*/prod-*", True),
        ("movies*", "movies", True),
    ],
)
def test_what_stages_would_meet_by(one: str, other: str, *, meet: bool) -> None:
    assert intersect(one, other) is intersect(other, one) is meet
