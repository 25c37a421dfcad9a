"""The header lines of CSV files, compared with the schema before a single row is read.

Columns are matched by name; their order is free and columns the schema lacks are ignored (the guide says neither).
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from emulator.engine.api import EngineError
from emulator.engine.datasets.schema import Schema

_LONGEST_HEADER_BYTES: Final = 1_000_000
_SHOWN_CHARACTERS: Final = 300


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
