"""The bytes of a CSV file: whether every line holds one record with as many values as the header.

A reader of typed columns fills short rows with nulls and lets a quoted value run over a line end. The service's guide
asks for one record per line, so this pass counts separators and quotes; it takes about a tenth of the reading's time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from emulator.engine.api import EngineError

_CHUNK_BYTES: Final = 1 << 22
_QUOTE, _COMMA, _NEWLINE = b'",\n'

Bytes = npt.NDArray[np.uint8]


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
