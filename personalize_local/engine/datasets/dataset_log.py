"""Keep one dataset's rows: Parquet files of a log, a tail of streamed rows, and one file that says what counts.

`state.json` is replaced in one step, so a reader and a crash find either the state before a change or the one after.
Bulk log files and streamed rows stay apart: a FULL import replaces the former only.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from personalize_local.engine.api import DatasetType, IngestionMode
from personalize_local.engine.datasets.log_files import SEQUENCE, LogFile, count, dtypes, of_kind, scan
from personalize_local.engine.datasets.schema import Schema, parse_schema
from personalize_local.engine.datasets.streamed_rows import fit_rows
from personalize_local.engine.processes.disk_sync import sync

_KEPT_USERS: Final = 256  # whose streamed rows are kept as a table


@dataclass
class LogState:
    """The content of state.json. `log_files` are in order of arrival; the tail is younger than all of them."""

    log_files: list[LogFile]
    numbered: int = 0  # files named so far
    sequence: int = 0  # streamed rows in log files; those of the tail follow
    schema: str | None = None  # of the newest rows

    @property
    def tail(self) -> str:
        """Return the name of the file with the streamed rows that are not in a log file yet."""
        return f"tail-{self.sequence}.jsonl"


class DatasetLog:
    """One dataset's rows, safe to use from many threads. `importing` is held by the job that changes the bulk rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.importing = threading.Lock()
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._state = self._load()
        self._tail = self._read_tail()
        self._by_user: dict[str, list[dict[str, Any]]] | None = None
        self._recent: dict[tuple[str, int], tuple[int, Schema, pl.DataFrame | None]] = {}
        self._readers = 0
        self._dropped: set[Path] = set()

    @property
    def schema(self) -> str | None:
        """The Avro text that came with the newest rows."""
        return self._state.schema

    @schema.setter
    def schema(self, text: str) -> None:
        with self._lock:
            if text != self._state.schema:
                self._state.schema = text
                self._switch(self._state.log_files)

    @property
    def stored_rows(self) -> int:
        """The number of rows in log files, however many of them are of one id."""
        with self._lock:
            return sum(log_file.rows for log_file in self._state.log_files)

    def append(self, schema: Schema, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep streamed rows; they survive a restart."""
        fitted = fit_rows(schema, rows)
        with self._lock:
            with (self.folder / self._state.tail).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in fitted)
            for row in fitted:
                self._remember({**row, SEQUENCE: self.sequence()})

    def sequence(self) -> int:
        """Return how many rows were ever streamed: a watermark that tells older streamed rows from younger ones."""
        with self._lock:
            return self._state.sequence + len(self._tail)

    def recent(self, schema: Schema, user_id: str, since: int) -> pl.DataFrame | None:
        """Return the user's streamed rows younger than the watermark `since`; None when there are none.

        It is the same object while no more came.
        """
        with self._lock:
            rows, key = self._users(schema).get(user_id, ()), (user_id, since)
            kept = self._recent.pop(key, None)
            if kept is None or kept[:2] != (len(rows), schema):
                young = [row for row in rows if row[SEQUENCE] >= since]
                kept = len(rows), schema, pl.DataFrame(young, schema=dtypes(schema)) if young else None
            if rows:
                self._recent[key] = kept  # the youngest now
                if len(self._recent) > _KEPT_USERS:
                    del self._recent[next(iter(self._recent))]
            return kept[2]

    def freeze(self, schema: Schema, keep: Callable[[LogFile], None] = lambda _part: None) -> list[LogFile]:
        """Return the log files that hold all rows of this moment, each first given to `keep` while it surely exists."""
        with self._lock:
            self._seal(schema)
            for log_file in self._state.log_files:
                keep(log_file)
            return list(self._state.log_files)

    @contextmanager
    def reading(self, schema: Schema, *, streamed: bool = True) -> Iterator[list[LogFile]]:
        """Give the log files, which stay until the block ends; without the newest streamed rows if so asked."""
        with self._lock:
            log_files = self.freeze(schema) if streamed else list(self._state.log_files)
            self._readers += 1
        try:
            yield log_files
        finally:
            with self._lock:
                self._readers -= 1
                self._remove_dropped()

    def count(self, schema: Schema, dataset_type: DatasetType, ingestion: IngestionMode) -> int:
        """Return how many rows there are, those of one id or of one event counted once."""
        with self.reading(schema) as log_files:
            return count(of_kind(log_files, ingestion), schema, dataset_type)

    def commit(self, schema: Schema, files: Iterable[LogFile], *, replace: bool) -> None:
        """Add the files as bulk files, instead of all earlier bulk files when `replace`; all or nothing."""
        with self._lock:
            self._seal(schema)
            before = list(self._state.log_files)
            kept = [log_file for log_file in before if log_file.kind == "PUT"] if replace else before
            self._switch([*kept, *[self._adopt(file) for file in files]])

    def forget_users(self, schema: Schema, users: pl.Series, rewritten: Mapping[Path, LogFile]) -> int:
        """Delete the users' streamed rows and put the `rewritten` bulk files in place; return the rows gone."""
        with self._lock:
            self._seal(schema)
            log_files = [
                self._without(log_file, users, rewritten.get(log_file.path)) for log_file in self._state.log_files
            ]
            gone = sum(log_file.rows for log_file in self._state.log_files) - sum(
                log_file.rows for log_file in log_files
            )
            self._switch(log_files)
            self._by_user = None
            self._recent.clear()
            return gone

    def _without(self, log_file: LogFile, users: pl.Series, rewritten: LogFile | None) -> LogFile:
        if rewritten is not None:
            return self._adopt(rewritten)
        if log_file.kind == "BULK":
            return log_file
        frame = pl.read_parquet(log_file.path).filter(~pl.col("USER_ID").is_in(users.implode()))
        smaller = self._name()
        frame.write_parquet(smaller, compression="zstd", compression_level=1)
        sync(smaller)
        return LogFile(smaller, "PUT", frame.height, unique=False)

    def _load(self) -> LogState:
        saved_in = self.folder / "state.json"
        if not saved_in.exists():
            return LogState([])
        saved = json.loads(saved_in.read_text())
        log_files = [LogFile.from_json(self.folder, entry) for entry in saved["parts"]]
        state = LogState(log_files, saved["numbered"], saved["sequence"], saved["schema"])
        for file in (
            {*self.folder.iterdir()} - {log_file.path for log_file in log_files} - {self.folder / state.tail, saved_in}
        ):
            file.unlink()  # left by a crash between writing a file and counting it
        return state

    def _read_tail(self) -> list[dict[str, Any]]:
        file = self.folder / self._state.tail
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        whole = [line for line in lines if line.endswith("\n")]  # a crash may have cut the last one
        return [{**json.loads(line), SEQUENCE: self._state.sequence + n} for n, line in enumerate(whole)]

    def _remember(self, row: dict[str, Any]) -> None:
        self._tail.append(row)
        if self._by_user is not None and "USER_ID" in row:
            self._by_user.setdefault(row["USER_ID"], []).append(row)

    def _users(self, schema: Schema) -> dict[str, list[dict[str, Any]]]:
        if self._by_user is None:
            self._by_user = {}
            for row in [*self._put_rows(schema), *self._tail]:
                self._by_user.setdefault(row["USER_ID"], []).append(row)
        return self._by_user

    def _put_rows(self, schema: Schema) -> list[dict[str, Any]]:
        streamed = [_with_sequence(log_file, schema) for log_file in self._state.log_files if log_file.kind == "PUT"]
        return pl.concat(streamed).collect().to_dicts() if streamed else []

    def _seal(self, schema: Schema) -> None:
        """Turn the tail into a log file; a youngest log file that is streamed too is joined to it."""
        if not self._tail:
            return
        if self._state.schema is not None:
            schema = parse_schema(self._state.schema)  # the caller may know an older one
        frame = pl.DataFrame(self._tail, schema={**dtypes(schema), SEQUENCE: pl.Int64})
        log_files = list(self._state.log_files)
        if log_files and log_files[-1].kind == "PUT":
            frame = pl.concat([_with_sequence(log_files.pop(), schema).collect(), frame])
        sealed = self._name()
        frame.write_parquet(sealed, compression="zstd", compression_level=1)
        sync(sealed)
        old_tail = self.folder / self._state.tail
        self._state.sequence += len(self._tail)
        self._tail = []
        self._switch([*log_files, LogFile(sealed, "PUT", frame.height, unique=False)])
        old_tail.unlink(missing_ok=True)

    def _adopt(self, file: LogFile) -> LogFile:
        target = self._name()
        file.path.replace(target)
        sync(target)
        return LogFile(target, file.kind, file.rows, file.unique)

    def _name(self) -> Path:
        self._state.numbered += 1
        return self.folder / f"part-{self._state.numbered:06d}.parquet"

    def _switch(self, log_files: list[LogFile]) -> None:
        dropped = {log_file.path for log_file in self._state.log_files} - {log_file.path for log_file in log_files}
        self._state.log_files = log_files
        saved = {
            "numbered": self._state.numbered,
            "sequence": self._state.sequence,
            "schema": self._state.schema,
            "parts": [log_file.to_json() for log_file in log_files],
        }
        draft = self.folder / "state.json.new"
        draft.write_text(json.dumps(saved))
        sync(draft)
        draft.replace(self.folder / "state.json")
        self._dropped |= dropped
        self._remove_dropped()

    def _remove_dropped(self) -> None:
        """Remove the files that no log file has any more, once no reader is left."""
        if not self._readers:
            for path in self._dropped:
                path.unlink(missing_ok=True)
            self._dropped.clear()


def _with_sequence(log_file: LogFile, schema: Schema) -> pl.LazyFrame:
    return pl.concat([scan(log_file, schema), pl.scan_parquet(log_file.path).select(SEQUENCE)], how="horizontal")
