"""Read the expression of a schedule, and say what is wrong with it before EventBridge Scheduler does."""

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

RATE: Final = re.compile(r"rate\(([1-9]\d{0,4}) (minute|hour|day)s?\)")
CRON: Final = re.compile(r"cron\(([^()]*)\)")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class CronField:
    """A field of a cron expression: its name in the guide, and which numbers and names it takes."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    steps: bool = True

    def allows(self, part: str) -> bool:
        """Say whether the field may be, or list, this."""
        return self.values(part) is not None

    def values(self, part: str) -> range | None:
        """Return what a number, a span or all stands for, with a slash every so many; None where it is none of them."""
        span, slash, step = part.partition("/")
        if slash and not (self.steps and re.fullmatch(r"[1-9]\d{0,3}", step)):
            return None
        first, dash, last = span.partition("-")
        start = self.low if span == "*" else self.number(first)
        end = self.number(last) if dash else (self.high if slash or span == "*" else start)
        return None if start is None or end is None or start > end else range(start, end + 1, int(step or 1))

    def number(self, text: str) -> int | None:
        """Return the number, or what a name stands for; None where the field has no such value."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        number = int(text) if re.fullmatch(r"\d{1,4}", text) else -1
        return number if self.low <= number <= self.high else None


class _DayOfMonth(CronField):
    def allows(self, part: str) -> bool:
        """Take also the last day, the last weekday, and the weekday that is nearest to a day."""
        return part in ("L", "LW") or super().allows(part) or (part[-1:] == "W" and self.number(part[:-1]) is not None)


class _DayOfWeek(CronField):
    def allows(self, part: str) -> bool:
        """Take also the last or the nth such day of the month."""
        day, hash_sign, nth = part.partition("#")
        if hash_sign:
            return self.number(day) is not None and nth in tuple("12345")
        return part == "L" or super().allows(part) or (part[-1:] == "L" and self.number(part[:-1]) is not None)


MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR = FIELDS = (
    CronField("minutes", 0, 59),
    CronField("hours", 0, 23),
    _DayOfMonth("day-of-month", 1, 31),
    CronField("month", 1, 12, _MONTHS),
    _DayOfWeek("day-of-week", 1, 7, _DAYS, steps=False),
    CronField("year", 1970, 2199),
)


def expression_fault(expression: str) -> str | None:
    """Return what is wrong with a schedule's expression, or None when it is one that repeats."""
    if RATE.fullmatch(expression):
        return None
    cron = CRON.fullmatch(expression)
    if cron is None:
        return f"{expression!r} is neither rate(<number> minutes|hours|days) nor cron(<six fields>)"
    values = cron[1].split(" ")
    if len(values) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        return f"{expression!r} has {len(values)} fields; cron has six, with single spaces between: {names}"
    if (values[2] == "?") == (values[4] == "?"):
        return f"{expression!r}: of day-of-month and day-of-week exactly one is '?'"
    for field, value in zip(FIELDS, values, strict=True):
        is_any = value == "?" and field.name.startswith("day")
        if not is_any and not all(field.allows(part) for part in value.split(",")):
            return f"{expression!r}: {value!r} is no value for {field.name} ({field.low} to {field.high})"
    return None


def zone_fault(name: str) -> str | None:
    """Return what is wrong with the name of a time zone, or None."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"{name!r} is no time zone of the IANA database, such as Europe/Berlin or UTC"
    return None
