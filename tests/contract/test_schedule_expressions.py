"""Whatever a request's check lets pass the local Scheduler takes, and what the check refuses it refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.requests.schedules.cron_syntax import expression_fault
from personalize_local.aws.events.schedule_expressions import next_time

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NUMBER = st.integers(-1, 33).map(str)
NAME = st.sampled_from(["MON", "sun", "JAN", "Dec", "XXX"])
ONE = NUMBER | NAME | st.sampled_from(["*", "?", "L", "W", "LW", "", "2100"])
PART = st.one_of(
    ONE,
    st.tuples(ONE, ONE).map("-".join),
    st.tuples(ONE, NUMBER).map("/".join),
    st.tuples(ONE, ONE, NUMBER).map(lambda parts: f"{parts[0]}-{parts[1]}/{parts[2]}"),
    st.tuples(ONE, NUMBER).map("#".join),
    ONE.map(lambda one: f"{one}L"),
    NUMBER.map(lambda one: f"{one}W"),
)
FIELD = PART | st.lists(PART, min_size=2, max_size=3).map(",".join)
CRON = st.lists(FIELD, min_size=6, max_size=6).map(lambda fields: f"cron({' '.join(fields)})")


def _almost(place: int, field: str) -> str:
    """Return a good expression with one field by chance."""
    fields = ["0", "3", "?", "*", "MON", "*"] if place == 4 else ["0", "3", "*", "*", "?", "*"]
    fields[place] = field
    return f"cron({' '.join(fields)})"


ALMOST = st.builds(_almost, st.integers(0, 5), FIELD)
RATE = st.tuples(NUMBER, st.sampled_from(["minute", "minutes", "hours", "days", "weeks"])).map(
    lambda parts: f"rate({parts[0]} {parts[1]})"
)


@settings(max_examples=600, deadline=None)
@given(CRON | ALMOST | RATE)
@example("cron(0 3 ? * 6L *)")
@example("cron(0 3 L * ? *)")
@example("cron(0 3 LW * ? *)")
@example("cron(0 3 15W * ? *)")
@example("cron(0 3 ? * TUE#2 *)")
@example("cron(0 3 ? * MON-FRI *)")
@example("cron(0/15 8-17 1,15 JAN-JUN ? 2026-2030)")
def test_the_check_and_the_local_scheduler_agree(expression: str) -> None:
    fault = expression_fault(expression)
    try:
        next_time(expression, NOW)
    except ValueError:
        assert fault is not None, expression
    else:
        assert fault is None, fault


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("cron(0 3 L * ? *)", ["2026-03-31", "2026-04-30"]),
        ("cron(0 3 LW * ? *)", ["2026-03-31", "2026-04-30", "2026-05-29"]),
        ("cron(0 3 1W * ? *)", ["2026-04-01", "2026-05-01", "2026-06-01", "2026-07-01", "2026-08-03"]),
        ("cron(0 3 ? * 6L *)", ["2026-03-27", "2026-04-24"]),
        ("cron(0 3 ? * TUE#2 *)", ["2026-03-10", "2026-04-14"]),
        ("cron(0 3 ? * L *)", ["2026-03-07", "2026-03-14"]),
        ("cron(0 3 ? * WED#5 *)", ["2026-04-29", "2026-07-29"]),
    ],
)
def test_days_that_depend_on_the_month(expression: str, days: list[str]) -> None:
    """As the guide of EventBridge Scheduler explains L, W and #."""
    moment, seen = NOW, []
    for _ in days:
        due = next_time(expression, moment)
        assert due is not None
        seen.append(due.date().isoformat())
        moment = due + timedelta(minutes=1)
    assert seen == days
