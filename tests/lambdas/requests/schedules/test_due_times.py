"""When a schedule is due next, as the guide of EventBridge Scheduler explains its expressions."""

from datetime import UTC, datetime

import pytest

from lambdas.requests.schedules.due_times import ScheduleTimes

CHANGED = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


def nexts(times: ScheduleTimes, after: str, count: int) -> list[str]:
    """Return the next times after a moment in UTC, as they are shown."""
    found: list[str] = []
    due = times.next_after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    while due is not None and len(found) < count:
        found.append(f"{due:%Y-%m-%d %H:%M %Z}")
        due = times.next_after(due)
    return found


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("cron(0 3 L * ? *)", ["03-31", "04-30"]),
        ("cron(0 3 LW * ? *)", ["03-31", "04-30", "05-29"]),
        ("cron(0 3 1W * ? *)", ["04-01", "05-01", "06-01", "07-01", "08-03"]),
        ("cron(0 3 ? * 6L *)", ["03-27", "04-24"]),
        ("cron(0 3 ? * TUE#2 *)", ["03-10", "04-14"]),
        ("cron(0 3 ? * L *)", ["03-07", "03-14"]),
        ("cron(0 3 ? * WED#5 *)", ["04-29", "07-29"]),
        ("cron(0 3 31 * ? *)", ["03-31", "05-31"]),
        ("cron(0 3 ? JAN-APR/3 2,SUN *)", ["04-05", "04-06", "04-12"]),
    ],
)
def test_days_that_depend_on_the_month(expression: str, days: list[str]) -> None:
    found = nexts(ScheduleTimes(expression, "UTC", CHANGED), "2026-03-04T05:06:07", len(days))
    assert found == [f"2026-{day} 03:00 UTC" for day in days]


def test_a_leap_day_is_found_however_far_away() -> None:
    assert nexts(ScheduleTimes("cron(0 0 29 2 ? *)", "UTC", CHANGED), "2096-03-01T00:00:00", 1) == [
        "2104-02-29 00:00 UTC"
    ]


def test_times_are_those_of_the_zone_and_a_skipped_hour_is_left_out() -> None:
    spring = ScheduleTimes("cron(30 2 28-30 3 ? 2026)", "Europe/Berlin", CHANGED)
    assert nexts(spring, "2026-01-01T00:00:00", 9) == ["2026-03-28 02:30 CET", "2026-03-30 02:30 CEST"]
    autumn = ScheduleTimes("cron(30 2 25 10 ? 2026)", "Europe/Berlin", CHANGED)
    assert nexts(autumn, "2026-10-01T00:00:00", 9) == ["2026-10-25 02:30 CEST"], "once, where the hour comes twice"


def test_a_rate_keeps_its_beat() -> None:
    assert nexts(ScheduleTimes("rate(6 hours)", "UTC", CHANGED), "2029-07-05T03:04:05", 1) == ["2029-07-05 06:00 UTC"]
    start = datetime(2026, 2, 2, 8, tzinfo=UTC)
    later = ScheduleTimes("rate(2 days)", "UTC", CHANGED, start, end=datetime(2026, 2, 5, tzinfo=UTC))
    assert nexts(later, "2026-01-01T00:00:00", 9) == ["2026-02-02 08:00 UTC", "2026-02-04 08:00 UTC"]


def test_one_time_is_due_once() -> None:
    once = ScheduleTimes("at(2026-07-01T09:00:00)", "America/New_York", CHANGED)
    assert nexts(once, "2026-01-01T00:00:00", 9) == ["2026-07-01 09:00 EDT"]
    skipped = ScheduleTimes("at(2026-03-29T02:30:00)", "Europe/Berlin", CHANGED)
    assert nexts(skipped, "2026-01-01T00:00:00", 9) == ["2026-03-29 03:30 CEST"], "a time that the clocks leave out"


@pytest.mark.parametrize(
    ("expression", "zone", "said"),
    [
        ("rate(none)", "UTC", "neither rate"),
        ("rate(1 day)", "Europe/Atlantis", "no time zone"),
        ("at(noon)", "UTC", "neither rate"),
    ],
)
def test_what_cannot_be_read_is_said(expression: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ScheduleTimes(expression, zone, CHANGED).next_after(CHANGED)
