"""Read `rate(…)` and `cron(…)` as EventBridge does."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

_RATE = re.compile(r"rate\(([1-9]\d{0,4}) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1 to 7
_FURTHEST_DAYS = 5 * 366

Fits = Callable[[date], bool]


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
        self._minutes = sorted(_numbers(minute, 0, 59))
        self._hours = sorted(_numbers(hour, 0, 23))
        self._days = [] if day == "?" else [_day_of_month(part) for part in day.split(",")]
        self._months = _numbers(month, 1, 12, _MONTHS)
        self._weekdays = [] if weekday == "?" else [_day_of_week(part) for part in weekday.split(",")]
        self._years = _numbers(year, 1970, 2199)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first match after a moment, within five years."""
        for ahead in range(_FURTHEST_DAYS):
            day = moment.date() + timedelta(days=ahead)
            if not self._has_day(day):
                continue
            for hour in self._hours:
                for minute in self._minutes:
                    candidate = datetime.combine(day, time(hour, minute), UTC)
                    if candidate > moment:
                        return candidate
        return None

    def _has_day(self, day: date) -> bool:
        if day.year not in self._years or day.month not in self._months:
            return False
        return any(fits(day) for fits in (*self._days, *self._weekdays))


def _day_of_month(part: str) -> Fits:
    """Read a part of the day-of-month: `L` is the last day, `LW` the last weekday, `5W` the weekday nearest the 5th."""
    if part in ("L", "LW"):
        return lambda day: day == _nearest_weekday(day, _length(day)) if part == "LW" else day.day == _length(day)
    if part.endswith("W"):
        (number,) = _numbers(part[:-1], 1, 31)
        return lambda day: number <= _length(day) and day == _nearest_weekday(day, number)
    allowed = _numbers(part, 1, 31)
    return lambda day: day.day in allowed


def _day_of_week(part: str) -> Fits:
    """Read a part of the day-of-week: `L` is Saturday, `6L` the last Friday of the month, `3#2` its second Tuesday."""
    weekday, hash_sign, nth = part.partition("#")
    if "/" in part or (hash_sign and nth not in tuple("12345")):
        raise ValueError(f"cron field {part!r}: a day of the week has no steps, and comes five times at most")
    is_last = part.endswith("L") and part != "L"
    allowed = {7} if part == "L" else _numbers(part[:-1] if is_last else weekday, 1, 7, _DAYS)
    if (hash_sign or is_last) and len(allowed) != 1:
        raise ValueError(f"cron field {part!r}: L and # follow one day of the week")

    def fits(day: date) -> bool:
        if day.isoweekday() % 7 + 1 not in allowed or (is_last and day.day + 7 <= _length(day)):
            return False
        return not hash_sign or (day.day - 1) // 7 + 1 == int(nth)

    return fits


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, number: int) -> date:
    """Return the weekday nearest to the so-manyeth of a day's month, without leaving the month."""
    there = day.replace(day=number)
    ahead = {6: -1, 7: 1}.get(there.isoweekday(), 0)
    if not 1 <= number + ahead <= _length(day):
        ahead *= -2
    return there + timedelta(days=ahead)


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    """Return what a field allows."""

    def number(text: str) -> int:
        value = names.index(text.upper()) + low if text.upper() in names else int(text)
        if not low <= value <= high:
            raise ValueError(f"{value} is not between {low} and {high}")
        return value

    def numbers(part: str) -> range:
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if span == "*" else number(first)
        end = number(last) if dash else (high if span == "*" or slash else start)
        if slash and not re.fullmatch(r"\d+", step):
            raise ValueError(f"{step!r} is no step")
        if start > end:
            raise ValueError(f"{span} goes backwards")
        return range(start, end + 1, int(step) if slash else 1)

    try:
        return {number for part in field.split(",") for number in numbers(part)}
    except ValueError as error:
        raise ValueError(f"cron field {field!r}: {error}") from error
