"""Measure how much processor time processes take (Linux)."""

import os
from pathlib import Path
from typing import Final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_USER_FIELD: Final = 11  # of what follows the name in /proc/<pid>/stat; the system's share is the next


def processor_seconds(pid: int) -> float:
    """Return what all threads of a process have taken since its start, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_USER_FIELD : _USER_FIELD + 2])) / _TICKS_PER_SECOND
