"""Take the directory of `--state`, only when it is free or ours, whole, and used by nobody else."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from personalize_local.state.bodies import Bodies
from personalize_local.state.database import Check, Database, check_database
from personalize_local.state.engine_files import check_datasets
from personalize_local.state.saved_items import ITEM, check_item
from personalize_local.state.saved_messages import MESSAGE, check_message
from personalize_local.state.saved_objects import BUCKET, OBJECT, check_bucket, check_object
from personalize_local.state.saved_records import RECORD, check_record
from personalize_local.state.state_errors import REMEDY, StateError

LAYOUT: Final = 2  # grows when a directory that this version writes cannot be read by the one before
MARKER: Final = "local-cloud.json"
_LOCK: Final = "lock"
_DATABASE: Final = "state.sqlite"
_OLD_FILES: Final = ("personalize.json", "s3", "dynamodb")  # of the layout that had no marker
_CHECKS: Final[Mapping[str, Check]] = {
    BUCKET: check_bucket,
    OBJECT: check_object,
    ITEM: check_item,
    MESSAGE: check_message,
    RECORD: check_record,
}
_PROBE: Final = ".probe"
_PROBE_BYTES: Final = 256 * 1024  # what opening the database and saying who is there needs at most


@dataclass(frozen=True)
class State:
    """The directory of `--state`, ours for as long as the process lives."""

    directory: Path

    @property
    def engine_directory(self) -> Path:
        """Return where Personalize's engine keeps datasets and models."""
        return self.directory / "personalize"

    @property
    def bodies(self) -> Bodies:
        """Return where the contents of S3 objects are."""
        return Bodies(self.directory / "bodies")

    def open_database(self) -> Database:
        """Return the rows; the caller closes them."""
        return Database(self.directory / _DATABASE)


@contextmanager
def taken(directory: Path) -> Iterator[State]:
    """Hold the directory for this process, or raise a StateError and leave the directory as it was.

    The lock is the operating system's, so it ends with the process however that ends.
    """
    try:
        lock = _take(directory)
    except OSError as error:
        raise StateError(f"{directory} cannot be used: {error.strerror or error}") from error
    try:
        yield State(directory)
    finally:
        os.close(lock)


def _take(directory: Path) -> int:
    is_new = _is_free(directory)
    if not is_new:
        _check_marker(directory)
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(lock, directory)
        _probe(directory)
        if not is_new:
            _check_contents(State(directory))
        else:
            _mark(directory)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _is_free(directory: Path) -> bool:
    if not directory.exists():
        return True
    if not directory.is_dir():
        raise StateError(f"{directory} is not a directory")
    return {path.name for path in directory.iterdir()} <= {_LOCK}


def _check_marker(directory: Path) -> None:
    marker = directory / MARKER
    if not marker.exists():
        if any((directory / name).exists() for name in _OLD_FILES):
            raise StateError(f"{directory} was written by an older version of the local cloud; take another directory")
        raise StateError(f"{directory} is no state directory ({MARKER} is missing) and not empty; take another one")
    try:
        layout = json.loads(marker.read_text(encoding="utf-8"))["layout"]
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{marker} is damaged; take another directory") from error
    if layout != LAYOUT:
        raise StateError(
            f"{directory} has the layout {layout}, this version reads {LAYOUT}; take another directory or version"
        )


def _lock(lock: int, directory: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "that is just starting"
        raise StateError(f"{directory} is in use by process {holder}") from error


def _probe(directory: Path) -> None:
    """Find out whether anything can be written, without leaving anything."""
    probe = directory / _PROBE
    try:
        probe.write_bytes(bytes(_PROBE_BYTES))
    finally:
        probe.unlink(missing_ok=True)


def _mark(directory: Path) -> None:
    draft = directory / f"{MARKER}.new"
    draft.write_text(json.dumps({"layout": LAYOUT}) + "\n", encoding="utf-8")
    draft.replace(directory / MARKER)


def _check_contents(state: State) -> None:
    file = state.directory / _DATABASE
    if not file.exists():
        if state.bodies.exists() or state.engine_directory.exists():
            raise StateError(f"{file} is missing; {REMEDY}")
        return  # a first start that did not come far
    facts = check_database(file, _CHECKS)
    state.bodies.check(facts.bodies)
    check_datasets(state.engine_directory, facts.datasets)
