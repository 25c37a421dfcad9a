"""The names of a stage: one mapping, which no two stages share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.personalize.stage_names import ANY_NAMES, LONGEST_NAME, StageNames

PREFIX = "arn:aws:personalize:eu-west-1:123456789012"
DEV = StageNames("dev-", ("movies", "old*"))
NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,40}", fullmatch=True)


def test_what_the_environment_says_is_what_was_said() -> None:
    assert StageNames.read(str(DEV)) == DEV
    assert StageNames.read(str(StageNames("dev-"))) == StageNames("dev-")


def test_a_group_s_names_get_the_prefix_unless_the_group_was_adopted() -> None:
    assert (DEV.group("films"), DEV.asked("for-you", "films")) == ("dev-films", "dev-for-you")
    assert (DEV.group("movies"), DEV.asked("for-you", "movies")) == ("movies", "for-you")
    assert (DEV.group("old-2"), DEV.group("movies-2")) == ("old-2", "dev-movies-2")


@given(NAMES, NAMES)
def test_no_two_groups_of_a_request_are_one_of_the_service(one: str, other: str) -> None:
    assert (DEV.group(one) == DEV.group(other)) == (one == other)
    assert DEV.covers(DEV.group(one))


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=4))
def test_a_name_of_our_own_begins_with_the_prefix_and_fits(parts: list[str]) -> None:
    name = DEV.made(*parts)
    assert name.startswith("dev-")
    assert len(name) <= LONGEST_NAME


@pytest.mark.parametrize(
    ("arn", "covered"),
    [
        (f"{PREFIX}:solution/dev-x/0a1b", True),
        (f"{PREFIX}:solution/prod-x/0a1b", False),
        (f"{PREFIX}:solution/prod-x/dev-1", False),
        (f"{PREFIX}:dataset/movies/ITEMS", True),
        (f"{PREFIX}:dataset/movies-2/ITEMS", False),
        (f"{PREFIX}:filter/older", True),
        (f"{PREFIX}:event-tracker/0a1b", True),
        (f"{PREFIX.replace('west', 'east')}:filter/dev-x", False),
        (f"{PREFIX.replace('1234', '9999')}:filter/dev-x", False),
        ("arn:aws:personalize:::recipe/aws-sims", True),
        ("arn:aws:iam::1:role/any", True),
        ("no arn", True),
    ],
)
def test_an_arn_is_the_stage_s_own_or_it_is_not(arn: str, *, covered: bool) -> None:
    assert DEV.covers_arn(arn, PREFIX) is covered


def test_without_a_stage_names_stand_as_they_are() -> None:
    assert (ANY_NAMES.group("movies"), ANY_NAMES.covers("anything")) == ("movies", True)
