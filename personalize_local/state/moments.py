"""Keep a cloud's state: every second or so, write what changed since the last moment, in one transaction.

A moment is taken under the locks of everything that is kept, so that S3 objects, items and resources are those of one
instant. The contents of objects are written before the rows that name them and removed after those are gone.
"""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from personalize_local.clock import CLOCK
from personalize_local.engine.api import EngineError
from personalize_local.personalize.protocol.models import accounts
from personalize_local.personalize.resources.service import current_service
from personalize_local.state.change_watch import ChangedNames, ChangeWatch, watching
from personalize_local.state.database import Changes, Database
from personalize_local.state.directory import State
from personalize_local.state.saved_items import item_changes, present_items, restore_items
from personalize_local.state.saved_messages import message_changes, present_messages, restore_messages
from personalize_local.state.saved_objects import ObjectWriter, present_objects, restore_objects
from personalize_local.state.saved_records import RecordWriter, restore_records
from personalize_local.state.state_errors import REMEDY, StateError

PAUSE_SECONDS: Final = 1.0  # real, from the end of one moment to the next
_PAUSE_AFTER_FAILURE_SECONDS: Final = 5.0


class Keeper:
    """The writer of moments, in a thread of its own, from `begin` to `end`."""

    def __init__(self, state: State, database: Database, watch: ChangeWatch) -> None:
        self._state = state
        self._database = database
        self._watch = watch
        self._objects = ObjectWriter(database, state.bodies)
        self._records = RecordWriter(database)
        self._saving = threading.Lock()
        self._ending = threading.Event()
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="state", daemon=True)

    def begin(self) -> None:
        """Write the first moment, then go on by the second."""
        for present in (present_objects(), present_items(), present_messages()):
            self._watch.give_back(present)
        self.save()
        self._thread.start()

    def end(self) -> None:
        """Write the last moment."""
        self._ending.set()
        self._thread.join()
        try:
            self.save(last=True)
        except (OSError, sqlite3.Error) as error:
            raise OSError(f"the last changes could not be kept in {self._state.directory}: {error}") from error

    def _run(self) -> None:
        while not self._ending.wait(_PAUSE_AFTER_FAILURE_SECONDS if self._is_failing else PAUSE_SECONDS):
            try:
                self.save()
            except Exception as error:  # noqa: BLE001 - whatever breaks must be said, and must not end the keeping
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._is_failing:
            sys.stderr.write(
                f"The state cannot be kept in {self._state.directory}: {error}. "
                "What changes now would be lost with this process. It is tried again every few seconds.\n"
            )
        self._is_failing = True

    def save(self, *, last: bool = False) -> None:
        """Write a moment if anything changed, and return once it is on disk; `last` also keeps the clock's time."""
        with self._saving:
            if not (last or self._watch.peek() or self._records.is_due()):
                return
            self._objects.write_ahead(self._watch.peek())
            changed, changes, now = self._moment()
            try:
                unnamed = self._database.commit(changes, now) if changes or last else set()
            except BaseException:
                self._give_back(changed)
                raise
            self._objects.forget()
            self._state.bodies.remove(unnamed)
            if self._is_failing:
                self._is_failing = False
                sys.stderr.write(f"The state is kept in {self._state.directory} again.\n")

    def _moment(self) -> tuple[ChangedNames, Changes, float]:
        with ExitStack() as holding:
            for account in accounts():
                holding.enter_context(account.lock)
            holding.enter_context(self._watch.gate)
            changed = self._watch.take()
            try:
                changes = {
                    **self._objects.changes(changed),
                    **item_changes(changed, self._database),
                    **message_changes(changed, self._database),
                    **(self._records.changes() if self._records.is_due() else {}),
                }
            except BaseException:
                self._give_back(changed)
                raise
            return changed, changes, CLOCK.time()

    def _give_back(self, changed: ChangedNames) -> None:
        self._watch.give_back(changed)
        self._records.start_over()

    def save_for_engine(self) -> None:
        """Write a moment, or let the work that waits for it fail with a reason."""
        try:
            self.save()
        except (OSError, sqlite3.Error) as error:
            self._tell(error)
            raise EngineError(f"The state directory cannot be written: {error}") from error


def restore_clock(state: State) -> None:
    """Let simulated time go on from the last moment, if that is later than now: it ran faster than the machine's."""
    with _opened(state) as database:
        seconds = database.simulated_seconds()
    if seconds is not None:
        CLOCK.go_on_from(seconds)


@contextmanager
def kept(state: State) -> Iterator[None]:
    """Put everything back, then keep it until the block ends; call it once the stacks are deployed.

    Nothing of the directory changes before all of it was put back.
    """
    with _opened(state) as database, watching() as watch:
        with watch.gate:  # nobody reads the half of it
            try:
                restore_objects(database, state.bodies)
                restore_items(database)
                restore_messages(database)
                restore_records(database, state.engine_directory)
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                raise StateError(f"{state.directory} is damaged ({error!r}); {REMEDY}") from error
        state.bodies.remove_all_but(database.bodies())
        keeper = Keeper(state, database, watch)
        keeper.begin()
        current_service().persist = keeper.save_for_engine
        try:
            yield
        finally:
            current_service().persist = _refuse
            keeper.end()


def _refuse() -> None:
    raise EngineError("The service was stopped.")


@contextmanager
def _opened(state: State) -> Iterator[Database]:
    try:
        database = state.open_database()
    except sqlite3.Error as error:
        raise StateError(f"{state.directory} cannot be used: {error}") from error
    try:
        yield database
    finally:
        database.close()
