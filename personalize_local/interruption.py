"""End a command on SIGINT or SIGTERM at any moment: within seconds, without a traceback, and with nothing left behind.

The command runs in a thread of its own, and the main thread does nothing but wait: so no exception breaks into an
import, a lock or a finaliser. It waits by reading what Python's own signal handler writes. Waiting for a lock would not
do: polars hooks SIGINT with SA_RESTART, after which the system resumes such a wait and no handler in Python ever runs.
"""

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from personalize_local.engine.processes.child_processes import end_all

GRACE_SECONDS: Final = 5.0  # real, for a command to end in order
INTERRUPTED: Final = threading.Event()
_in_order: Final = threading.Event()
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_ENDED: Final = 0  # no signal has this number
_SHOW_CURSOR: Final = "\x1b[?25h"


class InterruptedCommandError(Exception):
    """The command was asked to end before it was done."""


def check_interruption() -> None:
    """Raise an InterruptedCommandError once the process has been asked to end."""
    if INTERRUPTED.is_set():
        raise InterruptedCommandError


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Give what runs in the block `GRACE_SECONDS` to end after a signal; elsewhere nothing is worth waiting for."""
    _in_order.set()
    try:
        yield
    finally:
        _in_order.clear()


def exit_after(command: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with its exit status, or with 128 + n when signal n ends it; main thread only.

    A signal ends the command where it stands, unless it is `ending_in_order`: then once that is done, or at a second
    signal. Child processes that are left are killed, and all temporary files go: they are in one directory.
    """
    signals, woken = socket.socketpair()
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)  # with any handler in Python, the number arrives in `woken`
    directory = tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="personalize-local-")
    running = _Command(command, woken)
    received = signals.recv(1)[0]
    if received != _ENDED:
        running.interrupted_by(received)
        _wait_for_order(signals)
    _leave(running.status, directory)


def _wait_for_order(signals: socket.socket) -> None:
    if _in_order.is_set():
        signals.settimeout(GRACE_SECONDS)
        with contextlib.suppress(TimeoutError):
            signals.recv(1)


class _Command:
    def __init__(self, command: Callable[[], int], woken: socket.socket) -> None:
        self.status = 1
        self._command = command
        self._woken = woken
        threading.Thread(target=self._run, name="command", daemon=True).start()

    def interrupted_by(self, number: int) -> None:
        """Ask the command to end; what threads say that lose the cloud under their feet interests nobody."""
        self.status = 128 + number
        threading.excepthook = lambda _: None
        sys.unraisablehook = lambda _: None
        logging.disable()
        INTERRUPTED.set()

    def _run(self) -> None:
        try:
            self.status = self._command()
        except InterruptedCommandError:
            pass
        except SystemExit as exit_:
            self.status = _status(exit_)
        except BrokenPipeError:
            self.status = 128 + signal.SIGPIPE
        except BaseException:  # noqa: BLE001 - as the interpreter does
            if not INTERRUPTED.is_set():
                traceback.print_exc()
        finally:
            self._woken.send(bytes([_ENDED]))


def _status(exit_: SystemExit) -> int:
    if isinstance(exit_.code, str):
        sys.stderr.write(f"{exit_.code}\n")
        return 1
    return int(exit_.code or 0)


def _leave(status: int, directory: str) -> NoReturn:
    """End the process here: the interpreter's own end would wait for every thread."""
    with contextlib.suppress(OSError, ValueError):  # nobody may be reading any more
        if sys.stdout.isatty():
            sys.stdout.write(_SHOW_CURSOR)
        sys.stdout.flush()
        sys.stderr.flush()
    for standard in (1, 2):  # a command that is still running sees its child processes die, and would tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), standard)
    end_all()
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(status)
