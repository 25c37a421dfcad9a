"""Start child processes that never outlive this one, and end all of them at once.

Each is the leader of a session of its own: an interrupt at the terminal is for the parent, which then ends the child,
and a signal to the child's group reaches whatever it started itself. A parent that is killed can end nobody; so a child
also watches for that, with `end_with_parent`; a script that is not ours is started as
`python -m personalize_local.engine.processes.child_processes <parent's pid> <script>`.
"""

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any, Final

_LOOK_SECONDS: Final = 0.2
_REAPED_SECONDS: Final = 2.0  # how long a killed process may take to be gone; one in an uninterruptible read needs more

_HAS_GROUPS: Final = hasattr(os, "killpg")  # not on Windows

_starting = threading.Lock()
_ending = threading.Event()
_started: "weakref.WeakSet[ChildProcess]" = weakref.WeakSet()


class ChildProcess(subprocess.Popen[bytes]):
    """A process in a session of its own that `end_all` knows."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        with _starting:
            if _ending.is_set():
                raise ChildProcessError("this process is ending and starts no others")
            super().__init__(command, start_new_session=True, **options)
            _started.add(self)

    def end_group(self) -> None:
        """Kill it and all that it started and that stayed in its group; ending one that has ended is fine."""
        self.kill_group()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(_REAPED_SECONDS)

    def kill_group(self) -> None:
        """Send the signal that ends its group, without waiting for the end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.returncode is None:  # once it is reaped its id may be another's
                os.killpg(self.pid, signal.SIGKILL) if _HAS_GROUPS else self.kill()


def end_all() -> None:
    """End every child process that is left, and let none start any more."""
    with _starting:
        _ending.set()
    left = list(_started)
    for process in left:
        process.kill_group()
    deadline = time.monotonic() + _REAPED_SECONDS
    for process in left:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))


def end_with_parent(parent_pid: int) -> None:
    """Kill this process, and its group if it leads one, as soon as `parent_pid` is no longer its parent."""
    threading.Thread(target=_watch, args=(parent_pid,), name="parent-watch", daemon=True).start()


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_LOOK_SECONDS)
    if _HAS_GROUPS and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL if _HAS_GROUPS else signal.SIGTERM)  # on Windows each ends it at once


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    runpy.run_path(sys.argv[2], run_name="__main__")
