"""When schedules of EventBridge Scheduler are due. The facts are the user guide's page on schedule types."""

from datetime import UTC, datetime

import pytest

from personalize_local.aws.events.schedule_times import Timing


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


CREATED = at("2026-01-01T00:00:30")


def times(timing: Timing, count: int) -> list[str]:
    """Return the first times at which a schedule is due."""
    found: list[str] = []
    due = timing.first()
    while due is not None and len(found) < count:
        found.append(due.strftime("%Y-%m-%dT%H:%M:%S"))
        due = timing.after(due)
    return found


def test_a_rate_begins_at_once_or_at_its_start_date() -> None:
    """Fact: without a StartDate a rate-based schedule starts invoking its target at once."""
    assert times(Timing("rate(6 hours)", CREATED), 2) == ["2026-01-01T00:00:30", "2026-01-01T06:00:30"]
    start = at("2026-01-02T08:00:00")
    assert times(Timing("rate(2 days)", CREATED, start=start), 2) == ["2026-01-02T08:00:00", "2026-01-04T08:00:00"]


def test_a_rate_keeps_its_beat_however_late_it_is_asked() -> None:
    late = at("2029-07-05T03:04:05.678")
    assert Timing("rate(6 hours)", CREATED).after(late) == at("2029-07-05T06:00:30")


def test_a_day_of_a_rate_has_24_hours_when_the_clocks_change() -> None:
    """Fact: days of a rate are 24 hours on the clock, not days of the calendar."""
    start = at("2026-03-28T11:00:00")
    timing = Timing("rate(1 day)", CREATED, "Europe/Berlin", start=start)
    assert times(timing, 3) == ["2026-03-28T11:00:00", "2026-03-29T11:00:00", "2026-03-30T11:00:00"]


def test_cron_is_in_the_time_zone_of_the_schedule() -> None:
    timing = Timing("cron(0 12 28-30 3 ? 2026)", CREATED, "Europe/Berlin")
    assert times(timing, 9) == ["2026-03-28T11:00:00", "2026-03-29T10:00:00", "2026-03-30T10:00:00"]


def test_a_time_that_does_not_exist_is_skipped_and_one_that_comes_twice_is_due_once() -> None:
    """Fact: both, of the change to and from daylight saving time."""
    spring = Timing("cron(30 2 28-30 3 ? 2026)", CREATED, "Europe/Berlin")
    assert times(spring, 9) == ["2026-03-28T01:30:00", "2026-03-30T00:30:00"]
    autumn = Timing("cron(30 2 24-26 10 ? 2026)", CREATED, "Europe/Berlin")
    assert times(autumn, 9) == ["2026-10-24T00:30:00", "2026-10-25T00:30:00", "2026-10-26T01:30:00"]
    within = at("2026-10-25T01:15:00")  # 2:15, the second time
    assert autumn.after(within) == at("2026-10-26T01:30:00")


def test_nothing_is_due_before_the_start_or_after_the_end() -> None:
    start, end = at("2026-02-01T09:00:00"), at("2026-02-03T09:00:00")
    timing = Timing("cron(0 9 * * ? *)", CREATED, start=start, end=end)
    assert times(timing, 9) == ["2026-02-01T09:00:00", "2026-02-02T09:00:00", "2026-02-03T09:00:00"]


def test_a_one_time_schedule_is_due_once_and_ignores_the_start_date() -> None:
    timing = Timing("at(2026-07-01T09:00:00)", CREATED, "America/New_York", start=at("2027-01-01T00:00:00"))
    assert times(timing, 9) == ["2026-07-01T13:00:00"]
    assert times(Timing("at(2020-07-01T09:00:00)", CREATED), 9) == []


@pytest.mark.parametrize(
    ("expression", "zone", "words"),
    [
        ("at(tomorrow)", "UTC", "at\\("),
        ("at(2026-02-30T00:00:00)", "UTC", "day"),
        ("rate(5)", "UTC", "rate"),
        ("cron(0 9 * * * *)", "UTC", "cron"),
        ("rate(1 day)", "Europe/Atlantis", "time zone"),
        ("rate(1 day)", "../../etc/passwd", "time zone"),
    ],
)
def test_a_bad_schedule_says_so(expression: str, zone: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Timing(expression, CREATED, zone)


def test_dates_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="EndDate"):
        Timing("rate(1 day)", CREATED, start=CREATED, end=CREATED)
