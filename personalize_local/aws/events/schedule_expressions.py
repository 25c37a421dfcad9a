"""Read `rate(…)` and `cron(…)` as EventBridge does."""

import re
from datetime import UTC, datetime, time, timedelta

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1 to 7
_FURTHEST_DAYS = 5 * 366


def next_time(expression: str, after: datetime) -> datetime | None:
    """Return when a schedule is due next, strictly after a moment; None when it never is. Bad ones raise ValueError."""
    if match := _RATE.fullmatch(expression):
        return after + timedelta(**{f"{match[2]}s": int(match[1])})
    if match := _CRON.fullmatch(expression):
        return _Cron(*match.groups()).after(after)
    raise ValueError(f"{expression!r} is neither rate(<number> minutes|hours|days) nor cron(<six fields>)")


class _Cron:
    def __init__(self, minute: str, hour: str, day: str, month: str, weekday: str, year: str) -> None:
        if (day == "?") == (weekday == "?"):
            raise ValueError("exactly one of a cron expression's day-of-month and day-of-week is '?'")
        self._minutes = _numbers(minute, 0, 59)
        self._hours = _numbers(hour, 0, 23)
        self._days = _numbers(day, 1, 31)
        self._months = _numbers(month, 1, 12, _MONTHS)
        self._weekdays = _numbers(weekday, 1, 7, _DAYS)
        self._years = _numbers(year, 1970, 2199)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first match after a moment, within five years."""
        for ahead in range(_FURTHEST_DAYS):
            day = moment.date() + timedelta(days=ahead)
            if not self._has_day(day.year, day.month, day.day, day.isoweekday() % 7 + 1):
                continue
            for hour in self._hours:
                for minute in self._minutes:
                    candidate = datetime.combine(day, time(hour, minute), UTC)
                    if candidate > moment:
                        return candidate
        return None

    def _has_day(self, year: int, month: int, day: int, weekday: int) -> bool:
        return year in self._years and month in self._months and day in self._days and weekday in self._weekdays


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> list[int]:
    """Return what a field allows. `L`, `W` and `#` are not supported, and say so."""

    def number(text: str) -> int:
        value = names.index(text.upper()) + low if text.upper() in names else int(text)
        if not low <= value <= high:
            raise ValueError(f"{value} is not between {low} and {high}")
        return value

    allowed: set[int] = set()
    try:
        for part in field.split(","):
            span, _, step = part.partition("/")
            first, _, last = span.partition("-")
            start = low if first in "*?" else number(first)
            end = number(last) if last else (high if first in "*?" or step else start)
            allowed.update(range(start, end + 1, int(step or 1)))
    except ValueError as error:
        raise ValueError(f"cron field {field!r}: {error}") from error
    return sorted(allowed)
