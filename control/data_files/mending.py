"""Mend a copy of a data file: everything that can be put right without knowing more than the file says."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from control.data_files.epoch_seconds import seconds_of
from control.data_files.text_files import form_of, open_rows
from lambdas.file_checks.columns import NULL_WORDS, Column

_NOTHING: Final = NULL_WORDS | {"na", "nil", r"\n"}
_WHOLE: Final = re.compile(r"([-+]?\d+)\.0*")


@dataclass
class Mended:
    """What was done to a file: how many cells or lines, by what was wrong with them."""

    path: Path
    counts: Counter[str] = field(default_factory=Counter)


def mend(source: Path, target: Path, columns: Sequence[Column], renamed: Mapping[str, str]) -> Mended:
    """Write a copy of `source` that fits `columns` as far as that needs no guess; return what was done.

    `renamed` gives the schema's name of the file's columns; those that are not in the schema are left out. Rows keep
    their order, one to a line, also those that cannot be mended: a check of the copy names them.
    """
    form, mended = form_of(source), Mended(target)
    if form.encoding != "utf-8":
        mended.counts[f"written in {form.encoding}: now UTF-8"] = 1
    if form.separator != ",":
        mended.counts[f"columns separated by {form.separator!r}: now by commas"] = 1
    by_name = {column.name: column for column in columns}
    with open_rows(source, form) as rows, target.open("w", encoding="utf-8", newline="") as out:
        header = [name.strip() for name in next(rows, [])]
        kept = [(place, by_name[renamed[name]]) for place, name in enumerate(header) if renamed.get(name) in by_name]
        if other := sum(renamed.get(name, name) != name for name in header):
            mended.counts["columns called otherwise than in the schema: renamed"] = other
        if lost := len(header) - len(kept):
            mended.counts["columns that the schema does not have: left out"] = lost
        out.write(",".join(column.name for _, column in kept) + "\n")
        for row in rows:
            out.write(",".join(_mended_row(row, len(header), kept, mended.counts)) + "\n")
    return mended


def _mended_row(
    row: Sequence[str], width: int, kept: Sequence[tuple[int, Column]], counts: Counter[str]
) -> Iterator[str]:
    if len(row) != width:  # nobody knows which cell is missing, or one too many
        yield from (_written(cell, counts) for cell in row)
        return
    for place, column in kept:
        yield _written(_mended_cell(row[place], column, counts), counts)


def _mended_cell(cell: str, column: Column, counts: Counter[str]) -> str:
    bare = cell.strip()
    if bare != cell:
        counts["spaces around a cell: taken away"] += 1
    if column.nullable and bare.lower() in _NOTHING:
        counts["words for nothing, like null: now empty"] += 1
        return ""
    if column.is_time and bare:
        return _mended_time(bare, counts)
    if column.type in ("int", "long") and (whole := _WHOLE.fullmatch(bare)):
        counts["whole numbers with a decimal point: now without"] += 1
        return whole[1]
    return bare


def _mended_time(cell: str, counts: Counter[str]) -> str:
    seconds = seconds_of(cell)
    if seconds is None or str(seconds) == cell:
        return cell
    kind = "dates" if "-" in cell[1:] or ":" in cell else "times in other units"
    counts[f"{kind}: now whole seconds since 1970"] += 1
    return str(seconds)


def _written(cell: str, counts: Counter[str]) -> str:
    """Return a cell as the service reads it: in quotes where it must be, a backslash before quotes and backslashes."""
    if "\n" in cell or "\r" in cell:
        counts["line ends inside a cell: now spaces"] += 1
        cell = re.sub(r"[\r\n]+", " ", cell)
    if not re.search(r'[,"\\]', cell):
        return cell
    if re.search(r'["\\]', cell):
        counts["quotes and backslashes inside a cell: now behind a backslash"] += 1
    escaped = cell.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
