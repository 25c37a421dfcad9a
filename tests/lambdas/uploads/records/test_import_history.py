"""What imports brought, and when."""

from datetime import UTC, datetime

from lambdas.uploads.records.import_history import ImportHistory
from tests.lambdas.gateways.memory_table import MemoryTable


def test_the_newest_import_of_each_dataset_is_known_and_told_once() -> None:
    history = ImportHistory(MemoryTable(), keep_days=90)
    history.note_import("movies", "items", "batch-1", 10, "2026-03-01T00:00:00+00:00")
    history.note_import("movies", "interactions", "batch-2", 10, "2026-03-02T00:00:00+00:00")
    history.note_import("movies", "items", "batch-3", 10, "2026-03-03T00:00:00+00:00")
    history.note_import("movies", "items", "batch-1", 10, "2026-03-09T00:00:00+00:00")  # a second delivery
    assert history.newest("movies") == {
        "items": datetime(2026, 3, 3, tzinfo=UTC),
        "interactions": datetime(2026, 3, 2, tzinfo=UTC),
    }
    assert history.newest("books") == {}
    assert history.rows_imported("movies", None) == 30


def test_when_a_dataset_was_last_imported_is_never_forgotten() -> None:
    table = MemoryTable()
    ImportHistory(table, keep_days=90).note_import("movies", "items", "batch-1", 10, "2026-03-01T00:00:00+00:00")
    expiring = {entry: "expires_at" in item for (_, entry), item in table.items.items()}
    assert expiring == {"import#batch-1": True, "newest#items": False}
