"""Print for people and for programs: tables, lines, JSON documents."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

_WIDTH_OF_FILES: Final = 200  # columns, where nobody looks on a terminal


def console() -> Console:
    """Return the console of standard output, as it is now."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below their columns, or that there are none."""
    listed = [[str(cell) for cell in row] for row in rows]
    if not listed:
        say(f"{title}: none")
        return
    drawn = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in listed:
        drawn.add_row(*row)
    console().print(drawn)


def say(text: str) -> None:
    """Print a line."""
    console().print(text, markup=False)


def remark(text: str) -> None:
    """Print a line beside the result, where a pipe does not take it."""
    print(text, file=sys.stderr)


def document(value: Any) -> None:
    """Print JSON."""
    print(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def json_line(value: Any) -> None:
    """Print JSON in one line, for what reads line by line."""
    print(json.dumps(value, default=_plain, ensure_ascii=False))


def moment(time: datetime | str | None) -> str:
    """Return a time as it is shown: to the second, in UTC as AWS writes it; nothing for none."""
    if not time:
        return ""
    text = time if isinstance(time, str) else time.isoformat()
    return text[:19].replace("T", " ")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
