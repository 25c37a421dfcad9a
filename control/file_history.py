"""Tell what happened to an uploaded object, version by version, as the ledger has it."""

from collections.abc import Iterable, Iterator

from lambdas.bucket_layout import BatchInput, GroupRequest, Ignored, UserList, parse_key
from lambdas.gateways.table import Table
from lambdas.uploads.import_selection import why_it_waits
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, FileState


def describe(key: str, table: Table) -> Iterator[str]:
    """Yield what became of each version of an object, the oldest first."""
    meaning = parse_key(key)
    if isinstance(meaning, BatchInput | GroupRequest | Ignored | UserList):
        yield f"{key} is no dataset's file: it starts a state machine, if anything, and leaves no row in the ledger"
        return
    ledger, key_of_dataset = Ledger(table), meaning.dataset_key
    for row in sorted(ledger.versions(key_of_dataset, key), key=lambda row: row.queue_position):
        yield from _tell(row)
        if row.state in {FileState.WAITING, FileState.CLAIMED}:
            lease = Leases(table, lambda _: True).read(key_of_dataset)
            yield f"  waits: {why_it_waits(row, ledger.unsettled(key_of_dataset), lease)}"


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
