"""Say what is wrong with the expression of a schedule, or with its time zone, before EventBridge Scheduler does."""

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

_RATE: Final = re.compile(r"rate\([1-9]\d{0,4} (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\(([^()]*)\)")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    steps: bool = True

    def allows(self, part: str) -> bool:
        """Say whether the field may be, or list, this: a number, a span, all, and with a slash every so many."""
        span, slash, step = part.partition("/")
        if slash and not (self.steps and re.fullmatch(r"[1-9]\d{0,3}", step)):
            return False
        first, dash, last = span.partition("-")
        if span == "*":
            return True
        start, end = self.number(first), self.number(last) if dash else None
        return start is not None and (not dash or (end is not None and start <= end))

    def number(self, text: str) -> int | None:
        """Return the number, or what a name stands for; None where the field has no such value."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        number = int(text) if re.fullmatch(r"\d{1,4}", text) else -1
        return number if self.low <= number <= self.high else None


class _DayOfMonth(_Field):
    def allows(self, part: str) -> bool:
        """Take also the last day, the last weekday, and the weekday that is nearest to a day."""
        return part in ("L", "LW") or super().allows(part) or (part[-1:] == "W" and self.number(part[:-1]) is not None)


class _DayOfWeek(_Field):
    def allows(self, part: str) -> bool:
        """Take also the last or the nth such day of the month."""
        day, hash_sign, nth = part.partition("#")
        if hash_sign:
            return self.number(day) is not None and nth in tuple("12345")
        return part == "L" or super().allows(part) or (part[-1:] == "L" and self.number(part[:-1]) is not None)


_FIELDS: Final = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _DayOfMonth("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _DayOfWeek("day-of-week", 1, 7, _DAYS, steps=False),
    _Field("year", 1970, 2199),
)


def expression_fault(expression: str) -> str | None:
    """Return what is wrong with a schedule's expression, or None when it is one that repeats."""
    if _RATE.fullmatch(expression):
        return None
    cron = _CRON.fullmatch(expression)
    if cron is None:
        return f"{expression!r} is neither rate(<number> minutes|hours|days) nor cron(<six fields>)"
    values = cron[1].split(" ")
    if len(values) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        return f"{expression!r} has {len(values)} fields; cron has six, with single spaces between: {names}"
    if (values[2] == "?") == (values[4] == "?"):
        return f"{expression!r}: of day-of-month and day-of-week exactly one is '?'"
    for field, value in zip(_FIELDS, values, strict=True):
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
