"""Every file of examples/bad_uploads against the report beside it, however it is cut into chunks and slices."""

import json
from pathlib import Path

import pytest

from lambdas.file_checks.columns import columns_of
from lambdas.file_checks.csv_check import InspectionProgress, Inspector
from lambdas.file_checks.reports import report_of

FOLDER = Path(__file__).parents[3] / "examples" / "bad_uploads"
COLUMNS = columns_of((FOLDER / "schema.json").read_text(), "interactions")
FILES = sorted(FOLDER.glob("*.csv"))


def report(path: Path, progress: InspectionProgress) -> object:
    key = f"uploads/movies/interactions/{path.name}"
    return json.loads(json.dumps(report_of(f"s3://bucket/{key}", "1", progress, "rejected")))


@pytest.mark.parametrize("chunk_bytes", [7, 100, 1 << 20])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_report_is_the_expected_one(path: Path, chunk_bytes: int) -> None:
    content = path.read_bytes()
    inspector = Inspector(COLUMNS)
    for start in range(0, len(content), chunk_bytes):
        inspector.feed(content[start : start + chunk_bytes])
    inspector.finish()
    assert report(path, inspector.progress) == json.loads(path.with_suffix(".report.json").read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_inspection_that_is_carried_on_by_somebody_else_finds_the_same(path: Path) -> None:
    content = path.read_bytes()
    progress = InspectionProgress()
    while not progress.hopeless:
        inspector = Inspector(COLUMNS, InspectionProgress.model_validate_json(progress.model_dump_json()))
        looked_at = progress.offset
        inspector.feed(content[looked_at : looked_at + 90])
        progress = inspector.progress
        if progress.offset == looked_at:  # no line ends within so few bytes: this slice reads to the end
            inspector.feed(content[looked_at + 90 :])
            inspector.finish()
            break
    assert report(path, progress) == json.loads(path.with_suffix(".report.json").read_text())


def test_every_rule_has_a_file() -> None:
    rules = {
        finding["rule"]
        for path in FILES
        for finding in json.loads(path.with_suffix(".report.json").read_text())["findings"]
    }
    assert rules >= {
        "header", "null", "type", "timestamp", "reserved", "length", "encoding", "quotes", "columns", "compression",
        "empty",
    }  # fmt: skip
