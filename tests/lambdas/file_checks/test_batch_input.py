"""The input of a batch job, checked before it costs one."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from lambdas.file_checks import batch_input
from lambdas.file_checks.batch_input import UploadRejected, check_batch_input, read_batch_input
from personalize_local.engine.serving.batch_records import read_records
from tests.lambdas.gateways.memory_objects import MemoryObjects

KEY = "uploads/movies/batch/weekly/users.json"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def rules(content: bytes, chunk_bytes: int = 1 << 16) -> list[str]:
    chunks = (content[start : start + chunk_bytes] for start in range(0, len(content), chunk_bytes))
    return [f"{finding.line} {finding.rule}" for finding in read_batch_input(chunks).findings]


@pytest.mark.parametrize(
    "content",
    [
        b'{"userId": "105"}\n{"userId":"106"}\r\n{ "itemId" : "1" }',
        b'{"userId": "105", "itemList": ["a", "b"]}\n',
        b'{"userId": "105", "filterValues": {"genres": "\\"horror\\",\\"comedy\\""}}\n',
        b'{"itemAttributes": "ITEMS.genres = \\"Comedy\\""}\n',
        '{"userId": "jürgen"}\n'.encode(),
    ],
)
def test_documented_lines_are_good(content: bytes) -> None:
    """Facts: these are the developer guide's own examples of batch input."""
    for chunk_bytes in (1, 7, 1 << 16):
        assert rules(content, chunk_bytes) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["1 empty"]),
        (b'[{"userId": "105"}]\n', ["1 json"]),
        (b'{"userId": "105"},\n{"userId": "106"}\n', ["1 json"]),
        (b"\n \r\n\t\n", ["3 empty"]),
        (b'{"userId": 105}\n', ["1 type"]),
        (b'{"userId": ""}\n', ["1 type"]),
        (b'{"userId": ""}\n{"user": "105"}\n', ["2 key"]),
        (b'{"userId": "105", "itemList": [1]}\n', ["1 type"]),
        (b'{"userId": "j\xfcrgen"}\n', ["1 encoding"]),
        (b"\xef\xbb\xbf{}\n", ["1 encoding"]),
        (b"\x1f\x8b\x08\n", ["1 compression"]),
    ],
)
def test_bad_lines_are_named(content: bytes, expected: list[str]) -> None:
    assert rules(content)[-1:] == expected


def test_a_bad_file_is_rejected_with_a_report() -> None:
    objects = MemoryObjects()
    objects.upload(KEY, b'{"userId": 105}\n', NOW)
    with pytest.raises(UploadRejected, match=r"line 1.*userId is a text"):
        check_batch_input(objects, f"s3://bucket/{KEY}")
    assert "userId is a text" in (objects.text("rejected/movies/batch/weekly/users.json.report.txt") or "")


def test_good_files_and_other_places_pass() -> None:
    objects = MemoryObjects()
    objects.upload(KEY, b'{"userId": "105"}\n', NOW)
    for location in (f"s3://bucket/{KEY}", "s3://elsewhere/x.json", "s3://bucket/results/x.json"):
        check_batch_input(objects, location)


LINES = strategies.dictionaries(
    strategies.sampled_from(["userId", "itemId", "itemAttributes", "itemList", "filterValues", "other"]),
    strategies.one_of(
        strategies.text(max_size=3),
        strategies.lists(strategies.text(max_size=3), max_size=2),
        strategies.dictionaries(strategies.text(max_size=2), strategies.text(max_size=3), max_size=2),
        strategies.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


@given(record=LINES, ascii_only=strategies.booleans(), spaced=strategies.booleans())
def test_the_pattern_for_good_lines_takes_none_that_the_rules_refuse(
    record: dict[str, Any], ascii_only: bool, spaced: bool
) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    line = json.dumps(record, ensure_ascii=ascii_only, separators=separators).encode() + b"\n"
    match = batch_input._GOOD.match(line)
    assert match is not None
    if match.end() == len(line):
        assert batch_input._record_fault(record) is None


def test_lines_as_the_guide_writes_them_are_taken_by_the_pattern() -> None:
    for line in (
        b'{"userId": "4638", "filterValues": {"genre": "\\"drama\\", \\"comedy\\""}}\n',
        b'{"userId": "891", "itemList": ["27", "886", "101"]}\n',
        b'{"userId":"1","itemList":[],"filterValues":{}}\r\n',
    ):
        match = batch_input._GOOD.match(line)
        assert match is not None
        assert match.end() == len(line)


BLANKS = strategies.builds(
    lambda text, end: (text + end).encode(), strategies.text("\t \x0b\x0c"), strategies.sampled_from(["", "\r"])
)
BATCH_LINES = strategies.lists(
    strategies.one_of(BLANKS, strategies.sampled_from([b'{"userId": "1"}', b'{"userId":"2"}\r'])), max_size=12
)


@settings(deadline=None)
@given(BATCH_LINES, strategies.sampled_from([b"\n", b""]), strategies.sampled_from([1, 7, 1 << 16]))
def test_blank_lines_are_passed_over_here_as_in_the_engine(lines: list[bytes], end: bytes, chunk_bytes: int) -> None:
    """A choice: nobody knows what the service makes of them."""
    content = b"\n".join(lines) + end
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "input.json")
        file.write_bytes(content)
        read = sum(len(records) for records in read_records(file, ("userId",), 1000))
    progress = read_batch_input(content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes))
    assert progress.rows == read
    assert [finding.rule for finding in progress.findings] == ([] if read else ["empty"])
