r"""Read a CSV file's bytes before its values: header, quotes, and whether each line holds one record.

The service's dialect has a backslash before `"` and before `\` inside double quotes. Spreadsheets double the quote
instead. Both are read here (our choice: the guide names the backslash only); any other backslash, and every backslash
outside quotes, is a plain character.

A reader of typed columns fills short rows with nulls and lets a quoted value run over a line end. The service's guide
asks for one record per line, so `check_shape` counts separators and quotes; it takes a tenth of the reading's time.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.schema import Schema

_CHUNK_BYTES: Final = 1 << 22
_QUOTE, _COMMA, _NEWLINE = b'",\n'
Bytes = npt.NDArray[np.uint8]
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.|"")*"')
_ESCAPED: Final = re.compile(rb'\\(["\\])')
_LONGEST_HEADER_BYTES: Final = 1_000_000
_SHOWN_CHARACTERS: Final = 300


def has_byte(file: Path, byte: bytes) -> bool:
    """Return whether the file contains the byte."""
    with file.open("rb") as content:
        return any(byte in chunk for chunk in iter(lambda: content.read(_CHUNK_BYTES), b""))


def check_shape(file: Path, columns: int) -> None:
    """Raise an EngineError when the file's separators and quotes cannot be those of whole lines.

    A short line that a long one makes up for gets past: readers refuse long lines themselves.
    """
    tally = _Tally()
    with file.open("rb") as content:
        for chunk in iter(lambda: content.read(_CHUNK_BYTES), b""):
            tally.add(np.frombuffer(chunk, np.uint8))
    lines = tally.lines + (tally.last_byte != _NEWLINE)
    if tally.broken or tally.open or tally.separators != lines * (columns - 1):
        check_lines(file, columns)


def check_lines(file: Path, columns: int) -> None:
    """Raise an EngineError that names the first line which is blank, too short, too long or not closed."""
    bad = 0
    reason = ""
    for line, fault in _bad_lines(file, columns):
        reason = reason or f"{fault}. First: {file.name}, line {line} (row {line - 1})."
        bad += 1
    if bad:
        raise EngineError(f"{reason} {affected(bad)}")


def affected(rows: int) -> str:
    """Return the sentence that ends a reason: how many rows are like the first."""
    return f"{rows} row{'s are' if rows > 1 else ' is'} affected."


@dataclass
class _Tally:
    lines: int = 0
    separators: int = 0
    open: bool = False  # inside a quoted value
    broken: bool = False  # a line ended inside a quoted value
    last_byte: int = _NEWLINE

    def add(self, chunk: Bytes) -> None:
        quotes = chunk == _QUOTE
        commas, newlines = chunk == _COMMA, chunk == _NEWLINE
        if self.open or quotes.any():
            inside = np.logical_xor.accumulate(quotes) ^ self.open
            self.open = bool(inside[-1])
            self.broken |= bool((newlines & inside).any())
            commas &= ~inside
        self.lines += int(np.count_nonzero(newlines))
        self.separators += int(np.count_nonzero(commas))
        self.last_byte = int(chunk[-1])


def check_encoding(file: Path) -> None:
    """Raise an EngineError that names the first line which is not UTF-8."""
    with file.open("rb") as content:
        for number, raw in enumerate(content, start=1):
            try:
                raw.decode()
            except UnicodeDecodeError as error:
                raise EngineError(
                    f"Input must be UTF-8. First: {file.name}, line {number} (row {number - 1})."
                ) from error


def _bad_lines(file: Path, columns: int) -> Iterator[tuple[int, str]]:
    with file.open("rb") as content:
        for number, raw in enumerate(content, start=1):
            fault = _fault(raw.rstrip(b"\r\n"), columns)
            if fault:
                yield number, fault


def _fault(line: bytes, columns: int) -> str | None:
    if not line:
        return "The line is blank"
    if line.count(b'"') % 2:
        return "A quoted value does not end in its line"
    values = len(_outside_quotes(line).split(b","))
    return None if values == columns else f"The line has {values} values, the header {columns}"


def _outside_quotes(line: bytes) -> bytes:
    return b"".join(line.split(b'"')[::2])


def without_backslashes(file: Path, scratch: Path) -> Path:
    """Return the file, or a copy in the folder `scratch` where quotes are doubled, when it escapes with backslashes."""
    if not (has_byte(file, b'"') and has_byte(file, b"\\")):
        return file
    copy = scratch / file.name
    with file.open("rb") as source, copy.open("wb") as target:
        target.writelines(_QUOTED.sub(_doubled, line) if b"\\" in line else line for line in source)
    return copy


def _doubled(quoted: re.Match[bytes]) -> bytes:
    return _ESCAPED.sub(lambda escape: b'""' if escape[1] == b'"' else b"\\", quoted[0])


def check_headers(files: Sequence[Path], schema: Schema) -> list[str]:
    """Return the columns all files have, in their order, or raise an EngineError that names file and columns."""
    headers = [_header(file) for file in files]
    for file, header in zip(files, headers, strict=True):
        if header != headers[0]:
            raise EngineError(
                f"All files of an import must have the same header: {file.name} has {_shown(header)},"
                f" {files[0].name} has {_shown(headers[0])}."
            )
    _check_columns(files[0], headers[0], schema)
    return headers[0]


def _header(file: Path) -> list[str]:
    with file.open("rb") as lines:
        first = lines.readline(_LONGEST_HEADER_BYTES)
    try:
        text = first.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise EngineError(f"The header of {file.name} is not UTF-8 text. Input must be uncompressed CSV.") from error
    if not text:
        raise EngineError(f"Input CSV is empty: {file.name} has no header.")
    try:
        return next(csv.reader([text]))
    except csv.Error as error:
        raise EngineError(f"The header (line 1) of {file.name} cannot be read: {error}.") from error


def _check_columns(file: Path, header: Sequence[str], schema: Schema) -> None:
    missing = [name for name in schema.columns if name not in header]
    if missing:
        raise EngineError(
            f"Input CSV is missing the following columns:[{', '.join(missing)}]. The header (line 1) of {file.name} is"
            f" {_shown(header)}."
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise EngineError(f"The header (line 1) of {file.name} names columns twice:[{', '.join(twice)}].")


def _shown(header: Sequence[str]) -> str:
    text = ",".join(header)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
