"""One dataset's rows: a folder with Parquet parts, a tail of streamed rows, and one file that says what counts.

`state.json` is replaced in one step, so a reader and a crash find either the state before a change or the one after.
Bulk parts and streamed rows stay apart: a FULL import replaces the former only.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emulator.engine.api import DatasetType, IngestionMode
from emulator.engine.datasets.log_files import SEQUENCE, Part, count, dtypes, of_kind, scan
from emulator.engine.datasets.schema import Schema, parse_schema
from emulator.engine.datasets.streamed_rows import fit_rows


@dataclass
class State:
    """The content of state.json. `parts` is in order of arrival; the tail is younger than all of them."""

    parts: list[Part]
    numbered: int = 0  # files named so far
    sequence: int = 0  # streamed rows in parts; those of the tail follow
    schema: str | None = None  # of the newest rows

    @property
    def tail(self) -> str:
        """Return the name of the file with the streamed rows that are not in a part yet."""
        return f"tail-{self.sequence}.jsonl"


class Dataset:
    """One dataset's rows, safe to use from many threads. `importing` is held by the job that changes the bulk part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.importing = threading.Lock()
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._state = self._load()
        self._tail = self._read_tail()
        self._by_user: dict[str, list[dict[str, Any]]] | None = None
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
                self._switch(self._state.parts)

    def append(self, schema: Schema, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep streamed rows; they survive a restart."""
        fitted = fit_rows(schema, rows)
        with self._lock:
            with (self.folder / self._state.tail).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in fitted)
            for row in fitted:
                self._remember({**row, SEQUENCE: self.sequence()})

    def sequence(self) -> int:
        """Return how many rows were ever streamed: a mark that tells older streamed rows from younger ones."""
        with self._lock:
            return self._state.sequence + len(self._tail)

    def recent(self, schema: Schema, user_id: str, since: int) -> pl.DataFrame:
        """Return the user's streamed rows younger than the mark `since`."""
        with self._lock:
            rows = [row for row in self._users(schema).get(user_id, ()) if row[SEQUENCE] >= since]
        return pl.DataFrame(rows, schema=dtypes(schema))

    def freeze(self, schema: Schema, keep: Callable[[Part], None] = lambda _part: None) -> list[Part]:
        """Return the parts that hold all rows of this moment, each first given to `keep` while it surely exists."""
        with self._lock:
            self._seal(schema)
            for part in self._state.parts:
                keep(part)
            return list(self._state.parts)

    @contextmanager
    def reading(self, schema: Schema, *, streamed: bool = True) -> Iterator[list[Part]]:
        """Give the parts, whose files stay until the block ends; without the newest streamed rows if so asked."""
        with self._lock:
            parts = self.freeze(schema) if streamed else list(self._state.parts)
            self._readers += 1
        try:
            yield parts
        finally:
            with self._lock:
                self._readers -= 1
                self._remove_dropped()

    def count(self, schema: Schema, dataset_type: DatasetType, ingestion: IngestionMode) -> int:
        """Return how many rows there are, those of one id or of one event counted once."""
        with self.reading(schema) as parts:
            return count(of_kind(parts, ingestion), schema, dataset_type)

    def commit(self, schema: Schema, files: Iterable[Part], *, replace: bool) -> None:
        """Add the files as bulk parts, instead of all earlier bulk parts when `replace`; all or nothing."""
        with self._lock:
            self._seal(schema)
            before = list(self._state.parts)
            kept = [part for part in before if part.kind == "PUT"] if replace else before
            self._switch([*kept, *[self._adopt(file) for file in files]])

    def forget_users(self, schema: Schema, users: pl.Series, rewritten: Mapping[Path, Part]) -> int:
        """Delete the users' streamed rows and put the `rewritten` bulk parts in place; return the rows gone."""
        with self._lock:
            self._seal(schema)
            parts = [self._without(part, users, rewritten.get(part.path)) for part in self._state.parts]
            gone = sum(part.rows for part in self._state.parts) - sum(part.rows for part in parts)
            self._switch(parts)
            self._by_user = None
            return gone

    def _without(self, part: Part, users: pl.Series, rewritten: Part | None) -> Part:
        if rewritten is not None:
            return self._adopt(rewritten)
        if part.kind == "BULK":
            return part
        frame = pl.read_parquet(part.path).filter(~pl.col("USER_ID").is_in(users.implode()))
        smaller = self._name()
        frame.write_parquet(smaller, compression="zstd", compression_level=1)
        return Part(smaller, "PUT", frame.height, unique=False)

    def _load(self) -> State:
        saved_in = self.folder / "state.json"
        if not saved_in.exists():
            return State([])
        saved = json.loads(saved_in.read_text())
        parts = [Part.from_json(self.folder, entry) for entry in saved["parts"]]
        state = State(parts, saved["numbered"], saved["sequence"], saved["schema"])
        for file in {*self.folder.iterdir()} - {part.path for part in parts} - {self.folder / state.tail, saved_in}:
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
        streamed = [_with_sequence(part, schema) for part in self._state.parts if part.kind == "PUT"]
        return pl.concat(streamed).collect().to_dicts() if streamed else []

    def _seal(self, schema: Schema) -> None:
        """Turn the tail into a part; a youngest part that is streamed too is joined to it."""
        if not self._tail:
            return
        if self._state.schema is not None:
            schema = parse_schema(self._state.schema)  # whoever asks may know an older one, with fewer columns
        frame = pl.DataFrame(self._tail, schema={**dtypes(schema), SEQUENCE: pl.Int64})
        parts = list(self._state.parts)
        if parts and parts[-1].kind == "PUT":
            frame = pl.concat([_with_sequence(parts.pop(), schema).collect(), frame])
        sealed = self._name()
        frame.write_parquet(sealed, compression="zstd", compression_level=1)
        old_tail = self.folder / self._state.tail
        self._state.sequence += len(self._tail)
        self._tail = []
        self._switch([*parts, Part(sealed, "PUT", frame.height, unique=False)])
        old_tail.unlink(missing_ok=True)

    def _adopt(self, file: Part) -> Part:
        target = self._name()
        file.path.replace(target)
        return Part(target, file.kind, file.rows, file.unique)

    def _name(self) -> Path:
        self._state.numbered += 1
        return self.folder / f"part-{self._state.numbered:06d}.parquet"

    def _switch(self, parts: list[Part]) -> None:
        dropped = {part.path for part in self._state.parts} - {part.path for part in parts}
        self._state.parts = parts
        saved = {
            "numbered": self._state.numbered,
            "sequence": self._state.sequence,
            "schema": self._state.schema,
            "parts": [part.to_json() for part in parts],
        }
        draft = self.folder / "state.json.new"
        draft.write_text(json.dumps(saved))
        draft.replace(self.folder / "state.json")
        self._dropped |= dropped
        self._remove_dropped()

    def _remove_dropped(self) -> None:
        """Remove the files that no part has any more, once nobody reads them."""
        if not self._readers:
            for path in self._dropped:
                path.unlink(missing_ok=True)
            self._dropped.clear()


def _with_sequence(part: Part, schema: Schema) -> pl.LazyFrame:
    return pl.concat([scan(part, schema), pl.scan_parquet(part.path).select(SEQUENCE)], how="horizontal")
