"""Measure what a process and its children hold: memory, open files, threads (Linux)."""

import gc
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_PROC: Final = Path("/proc")
_LOOK_SECONDS: Final = 1.0
_PARENT_FIELD: Final = 1  # of what follows the name in /proc/<pid>/stat


@dataclass(frozen=True)
class Footprint:
    """What a process holds at one moment, and how much its children hold together."""

    own_mb: float  # resident
    children_mb: float  # proportional: a page that three forked processes share counts a third for each
    files: int
    threads: int
    processes: int

    @property
    def total_mb(self) -> float:
        """Return the memory of the process and its children."""
        return self.own_mb + self.children_mb

    def __str__(self) -> str:
        return (
            f"{self.own_mb:6.0f} MB, children {self.children_mb:6.0f} MB, {self.files} files, "
            f"{self.threads} threads, {self.processes} processes"
        )


def footprint(*, collect: bool = True) -> Footprint:
    """Measure this process, after a garbage collection if wanted, and its children and theirs."""
    if collect:
        gc.collect()
    ours = os.getpid()
    below = list(_descendants(ours))
    return Footprint(
        own_mb=_status_mb(ours, "status", "VmRSS"),
        children_mb=sum(map(_proportional_mb, below)),
        files=len(list((_PROC / str(ours) / "fd").iterdir())),
        threads=len(list((_PROC / str(ours) / "task").iterdir())),
        processes=1 + len(below),
    )


class Watched:
    """Looks every second at the memory of this process and its children."""

    def __init__(self) -> None:
        self.most_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.most_mb = max(self.most_mb, footprint(collect=False).total_mb)


def peak_mb(pid: int | str = "self") -> float:
    """Return the most memory a process has ever held; 0 when it is gone."""
    return _status_mb(pid, "status", "VmHWM")


def _proportional_mb(pid: int) -> float:
    return _status_mb(pid, "smaps_rollup", "Pss")


def _status_mb(pid: int | str, file: str, name: str) -> float:
    try:
        text = (_PROC / str(pid) / file).read_text()
    except OSError:  # it has ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(f"{name}:")), 0.0)


def _descendants(pid: int) -> Iterator[int]:
    parents = dict(_parents())
    wanted = {pid}
    while found := {child for child, parent in parents.items() if parent in wanted} - wanted:
        yield from found
        wanted |= found


def _parents() -> Iterator[tuple[int, int]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            after_the_name = (folder / "stat").read_text().rpartition(")")[2]
        except OSError:  # it has ended
            continue
        yield int(folder.name), int(after_the_name.split()[_PARENT_FIELD])
