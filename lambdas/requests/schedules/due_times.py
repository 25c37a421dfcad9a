"""Tell when a schedule is due next; EventBridge Scheduler, which fires it, does not tell."""

import calendar
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from lambdas.requests.schedules.cron_syntax import (
    CRON,
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOURS,
    MINUTES,
    MONTH,
    RATE,
    YEAR,
    CronField,
    expression_fault,
    zone_fault,
)

_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


@dataclass(frozen=True)
class ScheduleTimes:
    """When a schedule is due: its expression in its time zone, after `start` and until `end`, where it has them.

    A rate is counted from `start`, or from when the schedule was last changed.
    """

    expression: str
    timezone: str
    changed: datetime
    start: datetime | None = None
    end: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when it is due next after a moment, in its own zone; None when it never is again.

        Raises ValueError, which says why, if expression or zone cannot be read.
        """
        zone = _zone(self.timezone)
        if at := _AT.fullmatch(self.expression):
            once = datetime.fromisoformat(at[1]).replace(tzinfo=zone).astimezone(UTC)
            return once.astimezone(zone) if once > moment else None  # the dates do not matter to a time
        if fault := expression_fault(self.expression):
            raise ValueError(fault)
        if self.start is not None:
            moment = max(moment, self.start - timedelta(microseconds=1))
        due = self._by_rate(moment) if RATE.fullmatch(self.expression) else self._by_cron(moment, zone)
        return None if due is None or (self.end is not None and due > self.end) else due.astimezone(zone)

    def _by_rate(self, moment: datetime) -> datetime:
        number, unit = RATE.fullmatch(self.expression).groups()  # type: ignore[union-attr]  # it was checked
        period, anchor = timedelta(**{f"{unit}s": int(number)}), self.start or self.changed
        return anchor + max(0, math.floor((moment - anchor) / period) + 1) * period

    def _by_cron(self, moment: datetime, zone: tzinfo) -> datetime | None:
        local = moment.astimezone(zone)
        for on_the_clock in _clock_times(self.expression, local.date()):
            due = on_the_clock.replace(tzinfo=zone).astimezone(UTC)  # of an hour that comes twice, the first
            exists = due.astimezone(zone).replace(tzinfo=None) == on_the_clock
            if exists and due > moment:
                return due
        return None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # also where the machine has no data about zones
    if fault := zone_fault(name):
        raise ValueError(fault)
    return ZoneInfo(name)


def _clock_times(expression: str, first: date) -> Iterator[datetime]:
    """Yield what a good cron expression names from a day on, in order, as a clock without a zone shows it."""
    minute, hour, day, month, weekday, year = CRON.fullmatch(expression)[1].split(" ")  # type: ignore[index]
    minutes, hours = _numbers(MINUTES, minute), _numbers(HOURS, hour)
    for in_year in (number for number in _numbers(YEAR, year) if number >= first.year):
        for in_month in _numbers(MONTH, month):
            for on_day in sorted(_days(in_year, in_month, day, weekday)):
                if on_day >= first:
                    whole = datetime(on_day.year, on_day.month, on_day.day)  # noqa: DTZ001 - the zone comes later
                    yield from (whole + timedelta(hours=h, minutes=m) for h in hours for m in minutes)


def _numbers(field: CronField, text: str) -> list[int]:
    return sorted({number for part in text.split(",") for number in field.values(part) or ()})


def _days(year: int, month: int, day: str, weekday: str) -> set[date]:
    """Return the days of a month that are named; of day and weekday one is a question mark."""
    last = date(year, month, calendar.monthrange(year, month)[1])
    if weekday == "?":
        return {found for part in day.split(",") for found in _by_day_of_month(part, last)}
    return {found for part in weekday.split(",") for found in _by_weekday(part, last)}


def _by_day_of_month(part: str, last: date) -> Iterator[date]:
    if part == "L":
        yield last
    elif part.endswith("W"):
        wanted = last.day if part == "LW" else DAY_OF_MONTH.number(part[:-1])
        if wanted and wanted <= last.day:
            yield _nearest_workday(last.replace(day=wanted), last)
    else:
        yield from (last.replace(day=number) for number in DAY_OF_MONTH.values(part) or () if number <= last.day)


def _nearest_workday(wanted: date, last: date) -> date:
    """Return the day from Monday to Friday that is nearest to a day, in the same month."""
    workdays = [day for day in _month(last) if day.weekday() < calendar.SATURDAY]
    return min(workdays, key=lambda day: abs(day - wanted))


def _by_weekday(part: str, last: date) -> Iterator[date]:
    part = "SAT" if part == "L" else part
    name, hash_sign, nth = part.partition("#")
    numbers = DAY_OF_WEEK.values(name.removesuffix("L")) or range(0)
    days = [day for day in _month(last) if day.isoweekday() % 7 + 1 in numbers]
    if hash_sign:
        days = days[int(nth) - 1 : int(nth)]
    elif part.endswith("L"):
        days = days[-1:]
    yield from days


def _month(last: date) -> list[date]:
    return [last.replace(day=number) for number in range(1, last.day + 1)]
