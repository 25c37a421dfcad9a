"""Tell what happened to an uploaded object, version by version, as the ledger has it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from lambdas.bucket_layout import BatchInput, GroupRequest, Ignored, UserList, parse_key
from lambdas.gateways.table import Table
from lambdas.uploads.import_selection import why_it_waits
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, FileState

OPEN: Final = (FileState.WAITING, FileState.CLAIMED)


def file_versions(key: str, table: Table) -> list[FileRow]:
    """Return the ledger's rows of an object, the oldest version first; none of what is no dataset's file."""
    meaning = parse_key(key)
    if isinstance(meaning, BatchInput | GroupRequest | Ignored | UserList):
        return []
    return sorted(Ledger(table).versions(meaning.dataset_key, key), key=lambda row: row.queue_position)


def waiting_reason(row: FileRow, table: Table) -> str | None:
    """Return why a file waits, or None when it does not."""
    if row.state not in OPEN:
        return None
    lease = Leases(table, lambda _: True).read(row.dataset_key)
    return why_it_waits(row, Ledger(table).unsettled(row.dataset_key), lease)


def file_document(row: FileRow, table: Table) -> dict[str, Any]:
    """Return a file's row for programs; `waits` is why it waits, or None when it does not."""
    return {**asdict(row), "waits": waiting_reason(row, table)}


def describe(key: str, table: Table) -> Iterator[str]:
    """Yield what became of each version of an object, the oldest first."""
    if isinstance(parse_key(key), BatchInput | GroupRequest | Ignored | UserList):
        yield f"{key} is no dataset's file: it starts a state machine, if anything, and leaves no row in the ledger"
    for row in file_versions(key, table):
        yield from _tell(row)
        if reason := waiting_reason(row, table):
            yield f"  waits: {reason}"


def _tell(row: FileRow) -> Iterable[str]:
    yield f"{row.state}: version {row.version}, {row.size_bytes:,} bytes, arrived {row.arrived}"
    facts = {
        "settled": row.settled,
        "rows": f"{row.rows:,}" if row.inspected else "",
        "bad rows": f"{row.bad_rows:,}" if row.bad_rows else "",
        "import job": row.job_arn or row.batch,
        "failed imports": str(row.attempts or ""),
        "reason": row.reason,
    }
    yield from (f"  {name}: {fact}" for name, fact in facts.items() if fact)
