"""Check the first line of a file: whether it is text, and has the columns that the schema asks for."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from lambdas.file_checks.columns import Column, Fault
from lambdas.names import shown

MOST_COLUMNS: Final = 1_000  # far more than a schema has fields; a job with a hundred thousand fails
# Longest first where one begins like another.
_SIGNATURES: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PK\x03\x04": "zip (or a spreadsheet)",
    b"PAR1": "Parquet",
}
_MARKS: Final = {
    b"\xef\xbb\xbf": "begins with a byte order mark; save the file as UTF-8 without it",
    b"\xff\xfe": "is UTF-16; save the file as UTF-8",
    b"\xfe\xff": "is UTF-16; save the file as UTF-8",
}


def content_fault(head: bytes) -> Fault | None:
    """Return why a file that begins like this is no CSV text in UTF-8."""
    for signature, form in _SIGNATURES.items():
        if head.startswith(signature):
            advice = f"the file is {form} data; the service reads plain CSV only, so upload it uncompressed"
            return Fault("compression", advice)
    for mark, advice in _MARKS.items():
        if head.startswith(mark):
            return Fault("encoding", f"the file {advice}")
    inside = head.removesuffix(b"\n").removesuffix(b"\r")
    if b"\r" in inside and b"\n" not in inside:
        return Fault("line", "the lines end in lone carriage returns; save the file with line feeds at their ends")
    if b"\x00" in head.partition(b"\n")[0]:
        return Fault("encoding", "the header holds zero bytes, as UTF-16 and binary files do; save it as UTF-8")
    return None


def header_faults(names: Sequence[str], columns: Sequence[Column]) -> list[tuple[str, Fault]]:
    """Return the faults of a header line, each with the column it is about."""
    if len(names) > MOST_COLUMNS:
        return [("", Fault("header", f"the header names {len(names):,} columns; {MOST_COLUMNS:,} are read"))]
    if len(names) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), "")):
        return [("", Fault("header", f"the columns are separated by {separator!r}; the service wants commas"))]
    quotes = Fault("header", "header names stand without quotes", uncertain=True)
    faults = [(shown(name), quotes) for name in names if '"' in name]
    faults += [
        (shown(name), Fault("header", f"the column appears {count} times"))
        for name, count in Counter(names).items()
        if count > 1
    ]
    known = {name.strip('"') for name in names}
    return faults + [(column.name, _missing(column, names)) for column in columns if column.name not in known]


def names_of(line: str, columns: Sequence[Column]) -> list[str]:
    """Return the names in a header line; for lenient columns without their quotes, and in the schema's case."""
    names = line.split(",")
    if not any(column.lenient for column in columns):
        return names
    by_letters = {column.name.upper(): column.name for column in columns}
    bare = [name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name for name in names]
    return [by_letters.get(name.upper(), name) for name in bare]


def _missing(column: Column, names: Sequence[str]) -> Fault:
    alike = [name for name in names if _plain(name) == _plain(column.name)]
    hint = f"; did you mean it by {shown(alike[0])!r}?" if alike else ""
    other_case = any(name.upper() == column.name.upper() for name in alike)
    advice = f"the column {column.name} is missing: every field of the schema must have one{hint}"
    return Fault("header", advice, uncertain=other_case)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
