"""A request's check and the local Scheduler take the same expressions, and reckon the same times of them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.requests.schedules.cron_syntax import expression_fault
from lambdas.requests.schedules.due_times import ScheduleTimes
from personalize_local.aws.events.schedule_expressions import next_time
from personalize_local.aws.events.schedule_times import Timing

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


ZONES: Final = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
MOMENTS: Final = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
DATES: Final = st.none() | MOMENTS
ONCE: Final = MOMENTS.map(lambda moment: f"at({moment:%Y-%m-%dT%H:%M:%S})")
GOOD: Final = (
    ALMOST.filter(lambda expression: expression_fault(expression) is None)
    | RATE.filter(lambda expression: expression_fault(expression) is None)
    | ONCE
)
LOCAL_HORIZON: Final = timedelta(days=5 * 366 - 2)  # the local Scheduler looks no further ahead


@settings(max_examples=500, deadline=None)
@given(GOOD, ZONES, MOMENTS, DATES, DATES)
@example("cron(30 2 * * ? *)", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), None, None)
@example("cron(30 2 * * ? *)", "Europe/Berlin", datetime(2026, 10, 25, 0, 45, tzinfo=UTC), None, None)
@example("cron(30 2 * * ? *)", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), None, None)
@example("at(2025-03-30T02:00:00)", "Europe/Berlin", datetime(2025, 1, 1, tzinfo=UTC), None, None)
@example("at(2025-10-26T02:30:00)", "Europe/Berlin", datetime(2025, 1, 1, tzinfo=UTC), None, None)
@example("cron(*/10 * ? * * *)", "Australia/Lord_Howe", datetime(2026, 4, 4, 14, 55, tzinfo=UTC), None, None)
def test_status_and_the_local_scheduler_reckon_the_same_next_time(
    expression: str, zone: str, moment: datetime, start: datetime | None, end: datetime | None
) -> None:
    if start and end and end <= start:
        start, end = end, start + timedelta(days=1)
    fired = Timing(expression, NOW, zone, start, end).after(moment)
    told = ScheduleTimes(expression, zone, NOW, start, end).next_after(moment)
    if fired is None and told is not None:
        assert told - max(moment, start or moment) > LOCAL_HORIZON
    else:
        # In UTC: Python calls times of different zones unequal where the clocks change (PEP 495).
        assert (told and told.astimezone(UTC)) == fired
