"""Keep the rows of a state directory: one SQLite table, changed in one transaction per moment.

A row is a JSON document under a kind ("object", "item", …), an owner (what is kept or dropped as a whole, such as all
versions of one object) and a name. A row of an object also names the file with its content.
"""

import json
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from personalize_local.state.state_errors import REMEDY, StateError

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS rows (
    kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, body TEXT,
    PRIMARY KEY (kind, owner, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS bodies ON rows (body) WHERE body IS NOT NULL;
CREATE TABLE IF NOT EXISTS moment (only INTEGER PRIMARY KEY CHECK (only = 1), simulated_seconds REAL NOT NULL);
"""
_PUT: Final = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)"
_DROP: Final = "DELETE FROM rows WHERE kind = ? AND owner = ? AND name = ?"
_MOMENT: Final = "INSERT OR REPLACE INTO moment VALUES (1, ?)"


class RowKey(NamedTuple):
    """The key of a row: its kind, its owner and its name."""

    kind: str
    owner: str
    name: str


class Row(NamedTuple):
    """The value of a row: a JSON document, and the file of an object's content."""

    document: str
    body: str | None = None


Changes = Mapping[RowKey, Row | None]  # None: the row goes


class Database:
    """An open database, safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def all(self, kind: str) -> Iterator[tuple[RowKey, Row]]:
        """Yield every row of a kind, owner by owner."""
        query = "SELECT owner, name, document, body FROM rows WHERE kind = ? ORDER BY owner, name"
        with self._lock:
            fetched = self._connection.execute(query, (kind,)).fetchall()
        for owner, name, document, body in fetched:
            yield RowKey(kind, owner, name), Row(document, body)

    def of(self, kind: str, owner: str) -> dict[RowKey, Row]:
        """Return the rows of one owner."""
        query = "SELECT name, document, body FROM rows WHERE kind = ? AND owner = ?"
        with self._lock:
            fetched = self._connection.execute(query, (kind, owner)).fetchall()
        return {RowKey(kind, owner, name): Row(document, body) for name, document, body in fetched}

    def simulated_seconds(self) -> float | None:
        """Return the clock's time at the last moment, None before the first."""
        with self._lock:
            fetched = self._connection.execute("SELECT simulated_seconds FROM moment").fetchone()
        return None if fetched is None else float(fetched[0])

    def commit(self, changes: Changes, simulated_seconds: float) -> set[str]:
        """Take over the changes, all or none, for good; return the contents that no row names any more."""
        with self._lock:
            gone = self._bodies_of(changes)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(_DROP, [row_key for row_key, row in changes.items() if row is None])
                self._connection.executemany(_PUT, [(*row_key, *row) for row_key, row in changes.items() if row])
                self._connection.execute(_MOMENT, (simulated_seconds,))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return {body for body in gone if not self._is_named(body)}

    def _bodies_of(self, changes: Changes) -> set[str]:
        query = "SELECT body FROM rows WHERE kind = ? AND owner = ? AND name = ? AND body IS NOT NULL"
        fetched = (
            self._connection.execute(query, row_key).fetchone() for row_key in changes if row_key.kind == "object"
        )
        return {row[0] for row in fetched if row}

    def _is_named(self, body: str) -> bool:
        query = "SELECT 1 FROM rows WHERE body = ? LIMIT 1"
        return self._connection.execute(query, (body,)).fetchone() is not None

    def bodies(self) -> set[str]:
        """Return every content that a row names."""
        with self._lock:
            fetched = self._connection.execute("SELECT DISTINCT body FROM rows WHERE body IS NOT NULL").fetchall()
        return {row[0] for row in fetched}

    def close(self) -> None:
        """Close."""
        with self._lock:
            self._connection.close()


@dataclass
class Facts:
    """What the rows of a state directory say must be there beside them."""

    bodies: dict[str, int] = field(default_factory=dict)  # sizes
    datasets: set[str] = field(default_factory=set)  # folders that have rows


Check = Callable[[Any, Any], object]  # given owner and document, raises if it could not be put back


def check_database(file: Path, checks: Mapping[str, Check]) -> Facts:
    """Read every row of a database without touching it, or raise; each kind of rows has its own check.

    SQLite writes when it opens what a crash left, so a copy is read.
    """
    with tempfile.TemporaryDirectory(prefix="local-cloud-check-") as folder:
        for each in (file, file.with_name(f"{file.name}-wal")):
            if each.exists():
                shutil.copy(each, folder)
        try:
            return _read_all(Path(folder) / file.name, checks)
        except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise StateError(f"{file} is damaged ({reason}); {REMEDY}") from error


def _read_all(file: Path, checks: Mapping[str, Check]) -> Facts:
    facts = Facts()
    connection = sqlite3.connect(file)
    try:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise ValueError(verdict)
        for (seconds,) in connection.execute("SELECT simulated_seconds FROM moment"):
            float(seconds)
        for kind, owner, text, body in connection.execute("SELECT kind, owner, document, body FROM rows"):
            checks[kind](json.loads(owner), json.loads(text))
            _note(facts, kind, json.loads(owner), json.loads(text), body)
    finally:
        connection.close()
    return facts


def _note(facts: Facts, kind: str, owner: Any, document: dict[str, Any], body: str | None) -> None:
    if body is not None:
        facts.bodies[body] = int(document["size"])
    if kind == "record" and document["holds_rows"]:
        facts.datasets.add("/".join([*owner, "datasets", document["folder"]]))
