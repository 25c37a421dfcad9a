"""Say what a run goes on without: datasets that hold nothing, files that still wait."""

from collections.abc import Sequence
from typing import Any, Final

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of
from lambdas.names import shown
from lambdas.uploads.dataset_facts import NoDataError, is_filled
from lambdas.uploads.import_selection import why_it_waits
from lambdas.uploads.records.file_row import FileRow

_MOST_REJECTED: Final = 100
_LONGEST_REASON: Final = 300

ledger, leases, personalize = wiring.ledger(), wiring.leases(), wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return ``{"warnings"}`` about the datasets of ``{"datasetGroup", "datasets", "onMissingData"}``.

    Raises NoDataError instead if a dataset holds nothing and the request says FAIL.
    """
    group, datasets = event["datasetGroup"], event["datasets"]
    held = {name: leases.read(dataset_key_of(group, name)) for name in datasets}
    unfilled = [name for name in datasets if not is_filled(personalize, group, name, held[name].filled)]
    empty = [f"{name}: no file of it was ever imported" for name in unfilled]
    if empty and event["onMissingData"] == "FAIL":
        raise NoDataError("; ".join(empty))
    waiting = {name: ledger.unsettled(dataset_key_of(group, name)) for name in datasets}
    late = [
        f"{name}: {len(rows)} file(s) wait, the first is {rows[0].key}: {why_it_waits(rows[0], rows, held[name])}"
        for name, rows in waiting.items()
        if rows
    ]
    rejected = {name: ledger.rejected(dataset_key_of(group, name), _MOST_REJECTED) for name in datasets}
    lost = [_rejection(name, rows) for name, rows in rejected.items() if rows]
    warnings = [*empty, *late, *lost]
    wiring.logger.info("reviewed", extra={"warnings": warnings})
    wiring.count("DataWarnings", len(warnings))
    wiring.count("RejectedFiles", sum(map(len, rejected.values())))
    return {"warnings": warnings}


def _rejection(name: str, rows: Sequence[FileRow]) -> str:
    count = f"{len(rows)} file(s)" if len(rows) < _MOST_REJECTED else f"{_MOST_REJECTED} files or more"
    reason = shown(rows[0].reason, _LONGEST_REASON)
    return f"{name}: {count} were rejected and not replaced since, the first is {rows[0].key}: {reason}"
