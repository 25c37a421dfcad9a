"""What is told about a schedule."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from control.group_status import ScheduleStatus

SUMMER = datetime(2026, 7, 5, 3, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("state", "due", "fault", "told"),
    [
        ("ENABLED", SUMMER, "", "2026-07-05 03:00 CEST"),
        ("ENABLED", SUMMER.astimezone(UTC), "", "2026-07-05 01:00 UTC"),
        ("ENABLED", None, "", "never again"),
        ("DISABLED", None, "", "paused"),
        ("ENABLED", None, "no time zone", "no time zone"),
    ],
)
def test_when_a_schedule_is_due_is_told_in_its_zone(state: str, due: datetime | None, fault: str, told: str) -> None:
    assert ScheduleStatus("weekly", "cron(0 3 ? * SUN *)", "Europe/Berlin", state, due, fault).due == told
