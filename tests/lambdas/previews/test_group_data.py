"""What the ledger knows of a group's data."""

from lambdas.bucket_layout import dataset_key_of
from lambdas.previews.group_data import GroupData, WaitingFiles, group_data
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow
from lambdas.uploads.records.import_history import ImportHistory
from tests.lambdas.gateways.memory_table import MemoryTable

KINDS = ("interactions", "users")


def test_what_waits_is_counted_and_weighed_and_what_came_is_remembered() -> None:
    table = MemoryTable()
    ledger, history = Ledger(table, 90), ImportHistory(table, 90)
    assert group_data(ledger, history, "movies", KINDS) == GroupData()
    for number, size in enumerate((7, 30)):
        key = f"uploads/movies/users/{number}.csv"
        arrived = f"2026-03-0{number + 1}T00:00:00Z"
        ledger.record(FileRow(dataset_key_of("movies", "users"), key, "v1", True, size, arrived))
    history.note_import("movies", "interactions", "batch-1", 1_200, "2026-03-01T00:00:00+00:00")
    history.note_import("movies", "users", "batch-2", 90, "2026-03-02T00:00:00+00:00")
    known = group_data(ledger, history, "movies", KINDS)
    assert known.waiting == {"users": WaitingFiles(2, 37)}
    assert known.interactions == 1_200
    assert set(known.imported) == {"interactions", "users"}
