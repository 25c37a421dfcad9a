"""Tell when a schedule is due: `at(…)`, `rate(…)` or `cron(…)`, in its zone, between its dates."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from personalize_local.aws.events.schedule_expressions import next_time

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_INSTANT = timedelta(microseconds=1)
MOST_HOURS_REPEATED = 200  # candidates to look at around a change of the clock; a repeated hour has 60 minutes


@dataclass(frozen=True)
class Timing:
    """When a schedule is due. Making one of a bad expression or time zone raises ValueError."""

    expression: str
    created: datetime
    zone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        _zone(self.zone)
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("the EndDate is not after the StartDate")
        if self.is_one_time:
            self._once()
        else:
            next_time(self.expression, self.created)

    @property
    def is_one_time(self) -> bool:
        """Tell whether it is due once only; then its dates are ignored, as on AWS."""
        return self.expression.startswith("at(")

    def after(self, moment: datetime) -> datetime | None:
        """Return when it is due next, strictly after a moment, or None when it never is again."""
        if self.is_one_time:
            due = self._once()
            return due if due > moment else None
        if self.start is not None:
            moment = max(moment, self.start - _INSTANT)
        next_due = self._by_rate(moment) if self.expression.startswith("rate(") else self._by_cron(moment)
        return None if next_due is None or (self.end is not None and next_due > self.end) else next_due

    def first(self) -> datetime | None:
        """Return when it is due first; a rate without a StartDate begins at once."""
        return self.after(self.created - _INSTANT if self.expression.startswith("rate(") else self.created)

    def _once(self) -> datetime:
        at = _AT.fullmatch(self.expression)
        if at is None:
            raise ValueError(f"{self.expression!r} is not at(yyyy-mm-ddThh:mm:ss)")
        return datetime.fromisoformat(at[1]).replace(tzinfo=_zone(self.zone)).astimezone(UTC)

    def _by_rate(self, moment: datetime) -> datetime | None:
        anchor = self.start or self.created
        following = next_time(self.expression, anchor)
        if following is None or moment < anchor:
            return anchor
        period = following - anchor  # a day is 24 hours, whatever the clocks do
        return anchor + (math.floor((moment - anchor) / period) + 1) * period

    def _by_cron(self, moment: datetime) -> datetime | None:
        zone = _zone(self.zone)
        on_the_clock: datetime | None = moment.astimezone(zone).replace(tzinfo=UTC)
        for _ in range(MOST_HOURS_REPEATED):
            on_the_clock = next_time(self.expression, on_the_clock) if on_the_clock else None
            if on_the_clock is None:
                return None
            local = on_the_clock.replace(tzinfo=zone)  # of an hour that comes twice, the first
            due = local.astimezone(UTC)
            exists = due.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
            if exists and due > moment:
                return due
        return None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # also where the machine has no data about zones
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r} is not a time zone, or this machine has no data about it (package tzdata)"
        ) from error
