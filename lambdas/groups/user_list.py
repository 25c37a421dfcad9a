"""Read a list of users who are to be forgotten: CSV text with the one column USER_ID, as data deletion jobs take it."""

import json
from collections.abc import Iterator
from typing import Final

from lambdas.file_checks.columns import columns_of
from lambdas.file_checks.csv_check import Finding, InspectionProgress, Inspector
from lambdas.file_checks.rows import BadRowError, split_row

LARGEST_BYTES: Final = 100_000_000  # "Deleting users": 100 MB in all files of a job
_SCHEMA: Final = json.dumps({"type": "record", "name": "Users", "fields": [{"name": "USER_ID", "type": "string"}]})


def check_user_list(chunks: Iterator[bytes]) -> InspectionProgress:
    """Look at every line of a list; the result counts all faults and names the first."""
    inspector = Inspector(columns_of(_SCHEMA, "users"))
    for chunk in chunks:
        inspector.feed(chunk)
        if inspector.progress.hopeless or inspector.progress.offset > LARGEST_BYTES:
            break
    inspector.finish()
    progress = inspector.progress
    if progress.header and progress.header != ["USER_ID"]:
        _refuse(progress, "header", "the list has the one column USER_ID and no other")
    if progress.offset > LARGEST_BYTES:
        _refuse(progress, "size", "a data deletion job takes at most 100 MB: split the list")
    return progress


def _refuse(progress: InspectionProgress, rule: str, advice: str) -> None:
    progress.faults += 1
    progress.findings.insert(0, Finding(line=0, column="", value="", rule=rule, advice=advice))


def listed_users(chunks: Iterator[bytes]) -> frozenset[str]:
    """Return the users of a list that was checked."""
    lines = b"".join(chunks).splitlines()[1:]
    return frozenset(split_row(line + b"\n")[0] for line in lines if line)


def cells_of(line: bytes) -> list[str]:
    """Return the cells of a line of CSV text; of one that cannot be read, none."""
    try:
        return list(split_row(line if line.endswith(b"\n") else line + b"\n"))
    except BadRowError:
        return []
