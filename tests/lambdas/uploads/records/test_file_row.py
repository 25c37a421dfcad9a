"""Where rows lie in the ledger's table, and how large its partitions become at a million files a day."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.gateways.table import Item
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import (
    SHARDS,
    FileRow,
    FileState,
    item_of,
    marker_of,
    open_item_of,
    open_shards,
    row_of,
)
from personalize_local.aws.dynamodb.item_sizes import item_size
from tests.lambdas.gateways.memory_table import MemoryTable

DATASET = "movies/interactions"
MILLION = 1_000_000
SAMPLE = 20_000
DAYS = 400  # what config/prod.toml remembers
GB = 10**9


def file(number: int) -> FileRow:
    """Return one of a day's million files, as Firehose and its like name them."""
    arrived = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(days=number / MILLION)
    return FileRow(
        dataset_key=DATASET,
        key=f"uploads/{DATASET}/2026/11/20/{arrived:%H}/clicks-{arrived:%Y-%m-%d-%H-%M-%S}-{number:036x}.csv",
        version=f"{number:032x}",
        versioned=True,
        size_bytes=1_234_567,
        arrived=arrived.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        sequencer=f"{number:016X}",
        rows=12_345,
        batch="movies-interactions-20261120T120000-0123456789",
        epoch=123_456,
    )


def settled(row: FileRow) -> Item:
    job_arn = f"arn:aws:personalize:eu-west-1:123456789012:dataset-import-job/{row.batch}"
    done = replace(row, state=FileState.IMPORTED, settled=row.arrived, job_arn=job_arn)
    return {**item_of(done), "expires_at": 1_800_000_000}


def size(item: Item) -> int:
    kinds = {bool: "BOOL", int: "N", str: "S"}
    return item_size({name: {kinds[type(value)]: value} for name, value in item.items()})


def sizes_per_partition(items: list[Item]) -> Counter[str]:
    """Return the bytes of each partition key, had each item of the sample come as often as in a million."""
    partitions: Counter[str] = Counter()
    for item in items:
        partitions[str(item["dataset"])] += size(item) * MILLION // SAMPLE
    return partitions


FILES = [file(number) for number in range(0, MILLION, MILLION // SAMPLE)]


def test_a_day_of_a_million_files_is_spread_evenly_while_it_is_open() -> None:
    partitions = sizes_per_partition([item for row in FILES for item in (open_item_of(row), marker_of(row))])
    markers = partitions.pop(DATASET)
    assert set(partitions) == set(open_shards(DATASET))
    assert max(partitions.values()) < 1.1 * min(partitions.values())
    # Even if nothing were settled for ten days, no shard would reach what DynamoDB keeps in one physical partition.
    assert 10 * max(partitions.values()) < 10 * GB
    assert markers < GB


def test_what_is_remembered_of_years_is_more_than_a_local_index_would_allow() -> None:
    """The bound that the record of decision 22 reckons with; a table without local indexes has none of its own."""
    (per_day,) = sizes_per_partition([settled(row) for row in FILES]).values()
    assert 10 * GB < DAYS * per_day < 500 * GB


def test_a_file_costs_ten_write_units() -> None:
    """Fact: a write costs a unit per KB begun, and twice that in a transaction."""
    row = FILES[-1]

    def units(item: Item) -> int:
        return -(-size(item) // 1024)

    recorded = 2 * (units(marker_of(row)) + units(open_item_of(row)))
    noted_and_claimed = 2 * units(open_item_of(row))
    moved = 2 * (units(open_item_of(row)) + units(settled(row)))
    assert recorded + noted_and_claimed + moved == 10


def test_versions_of_one_key_lie_together_in_the_order_of_arrival() -> None:
    row = file(1)
    newer = replace(row, version="2", arrived="2026-11-21T00:00:00Z")
    assert newer.shard == row.shard
    assert newer.place > row.place
    assert {file(number).shard for number in range(50)} == set(open_shards(DATASET))
    assert len(open_shards(DATASET)) == SHARDS


@pytest.mark.parametrize("name", ["n" * 980, "é" * 490, "\U0001f600" * 245])
def test_keys_of_any_length_fit(name: str) -> None:
    """Fact: 1,024 bytes for a sort key, 2,048 for a partition key."""
    row = replace(file(1), key=f"uploads/{DATASET}/{name}", sequencer="F" * 32, version="v" * 64)
    for item in (marker_of(row), open_item_of(row), item_of(row)):
        assert len(str(item["entry"]).encode()) <= 1024
        assert len(str(item["dataset"]).encode()) <= 2048


def test_two_rows_at_one_place_in_the_queue_are_two_rows() -> None:
    """A sweep knows seconds and no sequencer, and positions are cut."""
    ledger = Ledger(MemoryTable())
    rows = [replace(file(1), sequencer="", version=version) for version in ("one", "two")]
    assert [ledger.record(row) for row in rows] == [True, True]
    assert sorted(row.version for row in ledger.unsettled(DATASET)) == ["one", "two"]


def test_a_row_is_read_as_it_was_written() -> None:
    row = replace(file(1), reason="because", attempts=2, full=True)
    assert row_of(open_item_of(row), DATASET) == row
    assert row_of(item_of(row), DATASET) == row


def test_a_misplaced_file_whose_folder_is_called_like_a_shard_is_not_taken_for_an_open_row() -> None:
    ledger = Ledger(MemoryTable())
    for shard in open_shards(DATASET):
        assert ledger.record_rejected(replace(file(1), dataset_key=shard), "no such dataset")
    assert ledger.unsettled(DATASET) == []
    assert not ledger.has_unsettled(DATASET)
