"""Open a file of comma-separated text as its rows, whatever program wrote it: encoding, separator, quotes."""

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PIECE_BYTES: Final = 1 << 20
_HEAD_LINES: Final = 200
_LONGEST_CELL_CHARACTERS: Final = 1 << 20
_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATORS: Final = ",\t;|"


class UnreadableFileError(Exception):
    """A file is no text with a header line and rows; the text says what it is and what to do."""


@dataclass(frozen=True)
class TextForm:
    """How a file writes its rows."""

    encoding: str
    separator: str
    backslashes: bool  # whether a quote inside a cell stands behind a backslash, rather than doubled


def form_of(path: Path) -> TextForm:
    """Return the form of a file, which is read once as a whole. Raises UnreadableFileError and OSError."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as text:
        lines = [line for line, _ in zip(text, range(_HEAD_LINES), strict=False)]
    if not lines or not lines[0].strip():
        raise UnreadableFileError(f"{path}: the first line is empty; a file begins with the names of its columns")
    counts = {separator: lines[0].count(separator) for separator in _SEPARATORS}
    separator = max(counts, key=lambda candidate: counts[candidate])
    # Where quotes are doubled, one behind a backslash ends the cell or stands before another.
    escaped = re.compile(rf'\\"(?!["\r\n{re.escape(separator)}]|$)')
    return TextForm(encoding, separator if counts[separator] else ",", any(map(escaped.search, lines)))


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_PIECE_BYTES)
        for mark, encoding in _MARKS.items():
            if head.startswith(mark):
                return encoding
        if b"\x00" in head:
            raise UnreadableFileError(f"{path}: it holds zero bytes: unpack it, or save it as text")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(_PIECE_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            # What Windows programs write; the few bytes that it leaves undefined are letters in Latin-1.
            return _windows_or_latin(path)
    return "utf-8"


def _windows_or_latin(path: Path) -> str:
    undefined = b"\x81\x8d\x8f\x90\x9d"
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            if any(byte in piece for byte in undefined):
                return "latin-1"
    return "cp1252"


@contextmanager
def open_rows(path: Path, form: TextForm) -> Iterator[Iterator[list[str]]]:
    """Give the rows of a file, the header first; empty lines are left out."""
    csv.field_size_limit(_LONGEST_CELL_CHARACTERS)
    with path.open(encoding=form.encoding, newline="") as text:
        reader = csv.reader(text, delimiter=form.separator, escapechar="\\" if form.backslashes else None)
        yield (row for row in reader if row)
