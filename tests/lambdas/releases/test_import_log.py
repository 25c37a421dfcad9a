"""When datasets were last imported, as settlements write it down."""

from datetime import UTC, datetime

from lambdas.releases.import_log import ImportLog
from lambdas.uploads.ledger import Ledger
from tests.lambdas.gateways.memory_table import MemoryTable


def test_the_newest_import_of_each_dataset_is_known_and_told_once() -> None:
    table = MemoryTable()
    ledger, log = Ledger(table), ImportLog(table)
    ledger.note_import("movies", "items", "batch-1", 10, "2026-03-01T00:00:00+00:00")
    ledger.note_import("movies", "interactions", "batch-2", 10, "2026-03-02T00:00:00+00:00")
    ledger.note_import("movies", "items", "batch-3", 10, "2026-03-03T00:00:00+00:00")
    ledger.note_import("movies", "items", "batch-1", 10, "2026-03-09T00:00:00+00:00")  # a second delivery
    assert log.newest("movies") == {
        "items": datetime(2026, 3, 3, tzinfo=UTC),
        "interactions": datetime(2026, 3, 2, tzinfo=UTC),
    }
    assert log.newest("books") == {}
    assert ledger.rows_imported("movies", None) == 30
