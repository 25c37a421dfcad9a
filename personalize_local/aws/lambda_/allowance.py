"""Watch what a worker process uses, and say when that is more than Lambda would let it have.

Memory is the process's resident set, as Lambda reports it: what the handler's process would have in a sandbox of its
own. Forked workers share the pages of what the fork server imported; those count, because on Lambda nobody shares them.
CPU time counts from the moment the handler is imported, as Lambda's time-out does. Both are read from /proc while the
handler runs and from `getrusage` when it returns; without /proc (macOS) only the second takes place, so that a function
that eats all memory there is stopped by nobody until it returns.
"""

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from personalize_local.aws.limits import VCPU_MIB

_MIB = 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
FIRST_LOOK_SECONDS = 0.01  # a handler that has answered by then costs no look at all
LONGEST_PAUSE_SECONDS = 0.05  # how long a process that eats memory goes unseen


class Overrun(Enum):
    """The allowance that a worker process has overrun: memory or CPU time."""

    MEMORY = "memory"
    CPU = "cpu"


@dataclass(frozen=True)
class Usage:
    """What a process has used: the memory it holds, or held at most, and its CPU time."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0

    @property
    def memory_mib(self) -> int:
        """Return the memory in whole MiB, rounded up, as a REPORT line shows it."""
        return -(-self.memory_bytes // _MIB)


@dataclass(frozen=True)
class Allowance:
    """What one invocation may use; a CPU allowance of None is not enforced."""

    memory_bytes: int
    cpu_seconds: float | None

    @classmethod
    def of(cls, memory_mib: int, timeout_seconds: float, *, share_cpu: bool) -> "Allowance":
        """Return what Lambda gives a function of this memory: of its time-out, the CPU time of its share of vCPUs."""
        cpu_seconds = timeout_seconds * memory_mib / VCPU_MIB.value if share_cpu else None
        return cls(memory_mib * _MIB, cpu_seconds)

    def overrun_by(self, usage: Usage, cpu_before: float) -> Overrun | None:
        """Say which allowance this usage overruns, given the CPU time the process had used before."""
        if usage.memory_bytes > self.memory_bytes:
            return Overrun.MEMORY
        if self.cpu_seconds is not None and usage.cpu_seconds - cpu_before > self.cpu_seconds:
            return Overrun.CPU
        return None


def usage_of(pid: int) -> Usage | None:
    """Return what a process uses now, or None where that cannot be seen: no /proc, or no such process."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (OSError, IndexError):
        return None
    return Usage(pages * _PAGE_BYTES, (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND)
