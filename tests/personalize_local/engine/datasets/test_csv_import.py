"""Imports of CSV files: what is kept, and what refuses a whole import with which reason.

Facts (developer guide): UTF-8, header equal to the schema's names, empty cells are nulls, backslash escapes, one record
per line, 256 characters for ids, 1,000 for other text, seconds for times, 1,000 interactions. Choices: column order is
free, unknown columns are ignored, a byte order mark is skipped, doubled quotes work, blank lines and infinite numbers
are refused, future times are not.
"""

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_local.engine.api import DatasetType, EngineError, ImportMode, ImportReport
from personalize_local.engine.datasets.csv_import import ImportTask, import_csv
from personalize_local.engine.datasets.log_files import LogFile
from tests.personalize_local.engine.examples import (
    INTERACTIONS_HEADER,
    ITEMS_HEADER,
    SCHEMAS,
    interactions,
    write,
)


def run(
    folder: Path,
    dataset_type: DatasetType,
    files: Sequence[Path],
    mode: ImportMode = "FULL",
    existing: Sequence[LogFile] = (),
) -> tuple[pl.DataFrame, LogFile, ImportReport]:
    incoming = folder / f"incoming{len(list(folder.iterdir()))}"
    incoming.mkdir()
    log_file, report = import_csv(ImportTask(dataset_type, SCHEMAS[dataset_type], files, mode, incoming, existing))
    return pl.read_parquet(log_file.path), log_file, report


def items(folder: Path, content: str | bytes) -> list[dict[str, Any]]:
    file = folder / "items.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return run(folder, "ITEMS", [file])[0].to_dicts()


def row(**values: object) -> dict[str, Any]:
    return {**dict.fromkeys(ITEMS_HEADER.split(",")), **values}


ACCEPTED: dict[str, tuple[str | bytes, list[dict[str, Any]]]] = {
    "empty cells are nulls": (f"{ITEMS_HEADER}\na,,,,,\n", [row(ITEM_ID="a")]),
    "words for nothing are text": (
        f"{ITEMS_HEADER}\nnull,NA,,NaN,,\n",
        [row(ITEM_ID="null", GENRES="NA", TITLE="NaN")],
    ),
    "every type": (
        f"{ITEMS_HEADER}\na,x|y,1.5,T,D,true\nb,,2e1,,,False\n",
        [
            row(ITEM_ID="a", GENRES="x|y", PRICE=1.5, TITLE="T", DESCRIPTION="D", AVAILABLE=True),
            row(ITEM_ID="b", PRICE=20.0, AVAILABLE=False),
        ],
    ),
    "quoted commas": (f'{ITEMS_HEADER}\na,,1,"One, two",,\n', [row(ITEM_ID="a", PRICE=1.0, TITLE="One, two")]),
    "escapes as documented": (
        f'{ITEMS_HEADER}\na,,,"say \\"hi\\" \\\\ bye",,\n',
        [row(ITEM_ID="a", TITLE='say "hi" \\ bye')],
    ),
    "doubled quotes (choice)": (f'{ITEMS_HEADER}\na,,,"say ""hi""",,\n', [row(ITEM_ID="a", TITLE='say "hi"')]),
    "other backslashes are plain (choice)": (
        f'{ITEMS_HEADER}\na,,,"C:\\new, old",\\,\n',
        [row(ITEM_ID="a", TITLE="C:\\new, old", DESCRIPTION="\\")],
    ),
    "another order (choice)": (
        "PRICE,AVAILABLE,DESCRIPTION,TITLE,GENRES,ITEM_ID\n2,,,,,a\n",
        [row(ITEM_ID="a", PRICE=2.0)],
    ),
    "extra column (choice)": (f"{ITEMS_HEADER},EXTRA\na,,,,,,what\n", [row(ITEM_ID="a")]),
    "byte order mark (choice)": (f"\ufeff{ITEMS_HEADER}\na,,,,,\n", [row(ITEM_ID="a")]),
    "Windows line ends": (
        f"{ITEMS_HEADER}\r\na,,,,,\r\nb,,,,,true\r\n",
        [row(ITEM_ID="a"), row(ITEM_ID="b", AVAILABLE=True)],
    ),
    "no line end at the end": (f"{ITEMS_HEADER}\na,,,,,", [row(ITEM_ID="a")]),
    "quoted header (choice)": ('"ITEM_ID",GENRES,PRICE,TITLE,DESCRIPTION,AVAILABLE\na,,,,,\n', [row(ITEM_ID="a")]),
    "beyond ASCII": (f"{ITEMS_HEADER}\nä,日本,,😀,,\n", [row(ITEM_ID="ä", GENRES="日本", TITLE="😀")]),
    "1,000 characters of four bytes": (f"{ITEMS_HEADER}\na,,,{'😀' * 1000},,\n", [row(ITEM_ID="a", TITLE="😀" * 1000)]),
    "textual values are cut": (f"{ITEMS_HEADER}\na,,,,{'x' * 20_001},\n", [row(ITEM_ID="a", DESCRIPTION="x" * 20_000)]),
    "textual values in Japanese are cut earlier": (
        f"{ITEMS_HEADER}\na,,,,{'の' * 7_001},\n",
        [row(ITEM_ID="a", DESCRIPTION="の" * 7_000)],
    ),
    "exact duplicates count once": (f"{ITEMS_HEADER}\na,,1,,,\na,,1,,,\n", [row(ITEM_ID="a", PRICE=1.0)]),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepts(case: str, tmp_path: Path) -> None:
    content, expected = ACCEPTED[case]
    assert items(tmp_path, content) == expected


LENGTH = "Length cannot be more than {} characters for {}. If no values exceed the character limit"
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "Input CSV is empty: items.csv has no header."),
    "a header alone": (f"{ITEMS_HEADER}\n", "Input CSV has no rows."),
    "a missing column": (
        "ITEM_ID,GENRES,TITLE,DESCRIPTION\na,,,\n",
        "Input CSV is missing the following columns:[PRICE, AVAILABLE]. The header (line 1) of items.csv is",
    ),
    "names in another case": (f"{ITEMS_HEADER.lower()}\na,,,,,\n", "missing the following columns:[ITEM_ID, GENRES"),
    "a duplicate header": (f"{ITEMS_HEADER},PRICE\na,,,,,,\n", "names columns twice:[PRICE]"),
    "a short row": (
        f"{ITEMS_HEADER}\na,,,,,\nb,,,\n",
        "The line has 4 values, the header 6. First: items.csv, line 3 (row 2). 1 row is affected.",
    ),
    "a short row made up for by a long one": (
        f"{ITEMS_HEADER}\na,,,,\nb,,,,,,\n",
        "The line has 5 values, the header 6. First: items.csv, line 2 (row 1). 2 rows are affected.",
    ),
    "a long row": (f"{ITEMS_HEADER}\na,,,,,,\n", "The line has 7 values, the header 6. First: items.csv, line 2"),
    "a blank line": (f"{ITEMS_HEADER}\na,,,,,\n\nb,,,,,\n", "The line is blank. First: items.csv, line 3 (row 2)."),
    "text in a number": (
        f"{ITEMS_HEADER}\na,,1,,,\nb,,cheap,,,\nc,,free,,,\n",
        "The value of column PRICE is not of type float. First: 'cheap' in items.csv, line 3 (row 2). 2 rows are",
    ),
    "NaN": (f"{ITEMS_HEADER}\na,,NaN,,,\n", "The value of column PRICE is not of type float. First: 'NaN'"),
    "infinity": (f"{ITEMS_HEADER}\na,,inf,,,\n", "The value of column PRICE is not of type float. First: 'inf'"),
    "a number in a boolean": (f"{ITEMS_HEADER}\na,,,,,1\n", "The value of column AVAILABLE is not of type boolean."),
    "an empty id": (
        f"{ITEMS_HEADER}\na,,,,,\n,,,,,\n",
        "The required column ITEM_ID has no value. First: items.csv, line 3 (row 2). 1 row is affected.",
    ),
    "a quoted empty id": (f'{ITEMS_HEADER}\n"",,,,,\n', "The required column ITEM_ID has no value."),
    "an id of 257 characters": (f"{ITEMS_HEADER}\n{'i' * 257},,,,,\n", LENGTH.format(256, "ITEM_ID")),
    "a category of 1,001 characters": (f"{ITEMS_HEADER}\na,{'g' * 1001},,,,\n", LENGTH.format(1000, "GENRES")),
    "text of 1,001 characters": (f"{ITEMS_HEADER}\na,,,{'t' * 1001},,\n", LENGTH.format(1000, "TITLE")),
    "bad UTF-8": (
        f"{ITEMS_HEADER}\na,,,,,\n".encode() + b"b,,,\xff,,\n",
        "Input must be UTF-8. First: items.csv, line 3",
    ),
    "UTF-16": (f"{ITEMS_HEADER}\na,,,,,\n".encode("utf-16"), "The header of items.csv is not UTF-8 text."),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "Input must be uncompressed CSV."),
    "an unterminated quote": (
        f'{ITEMS_HEADER}\na,,,"open,,\nb,,,,,\n',
        "A quoted value does not end in its line. First: items.csv, line 2 (row 1).",
    ),
    "a quoted line end": (f'{ITEMS_HEADER}\na,,,"one\ntwo",,\n', "A quoted value does not end in its line."),
    "a quote inside a value": (f'{ITEMS_HEADER}\na,,,5" disk,,\n', "A quoted value does not end in its line."),
    "old Macintosh line ends": (f"{ITEMS_HEADER}\ra,,,,,\r", "The header (line 1) of items.csv cannot be read"),
    "a table of another kind": ("x," * 1000 + "\n", "x,x,x,…."),
    "semicolons": (f"{ITEMS_HEADER.replace(',', ';')}\na;;;;;\n", "missing the following columns:[ITEM_ID"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, tmp_path: Path) -> None:
    content, reason = REFUSED[case]
    with pytest.raises(EngineError) as refusal:
        items(tmp_path, content)
    assert str(refusal.value).startswith("Failed to create a data import job for ITEMS dataset. ")
    assert reason in str(refusal.value)


@given(body=st.one_of(st.binary(max_size=80), st.text(st.sampled_from('a1",\\\r\n é'), max_size=60).map(str.encode)))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_file_holds_it_is_imported_or_refused_with_a_reason(tmp_path: Path, body: bytes) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    try:
        rows = items(folder, ITEMS_HEADER.encode() + b"\n" + body)
    except EngineError as error:
        reason = str(error)
        assert "internal error" not in reason
        assert "cannot be read" not in reason
    else:
        assert all(row["ITEM_ID"] for row in rows)


NUMBERS = st.from_regex(r"[ +-]?[0-9]{0,3}[.]?[0-9]{0,3}(e[+-]?[0-9])?[ ]?", fullmatch=True)


@given(price=NUMBERS, available=st.sampled_from(["", "true", "TRUE", "fAlse", "True ", " true", "1"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_first_bad_row_is_the_one_that_was_refused(tmp_path: Path, price: str, available: str) -> None:
    """Good files are read by a typed reader, bad ones again as text: both must agree on what a value is."""
    cells = f"a,,{price},,,{available}"
    try:
        items(Path(tempfile.mkdtemp(dir=tmp_path)), f"{ITEMS_HEADER}\n{cells}\n")
        line = "line 3"
    except EngineError:
        line = "line 2"
    with pytest.raises(EngineError, match=line):
        items(Path(tempfile.mkdtemp(dir=tmp_path)), f"{ITEMS_HEADER}\n{cells}\nb,,none,,,\n")


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\\\r\n\x00"), min_size=1, max_size=12)


@given(titles=st.lists(PLAIN, min_size=1, max_size=6))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_reads_what_pythons_csv_module_writes(tmp_path: Path, titles: list[str]) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([ITEMS_HEADER.split(","), *([f"i{n}", "", "", title, "", ""] for n, title in enumerate(titles))])
    assert [row["TITLE"] for row in items(folder, text.getvalue())] == titles


TIMES = {
    "milliseconds": ("1600000000000", "TIMESTAMP must be in seconds since 1970, not in milliseconds"),
    "a negative time": ("-5", "TIMESTAMP must not be negative"),
    "a date": ("2020-09-13", "The value of column TIMESTAMP is not of type long"),
    "a fraction": ("1600000000.0", "The value of column TIMESTAMP is not of type long"),
    "an exponent": ("16e8", "The value of column TIMESTAMP is not of type long"),
    "too large a number": ("99999999999999999999", "The value of column TIMESTAMP is not of type long"),
    "no time": ("", "The required column TIMESTAMP has no value"),
}


@pytest.mark.parametrize("case", TIMES)
def test_refuses_times(case: str, tmp_path: Path) -> None:
    value, reason = TIMES[case]
    file = write(tmp_path / "may.csv", INTERACTIONS_HEADER, [*interactions(1200), f"u1,i1,watch,{value},"])
    with pytest.raises(EngineError) as refusal:
        run(tmp_path, "INTERACTIONS", [file])
    shown = f"{value!r} in " if value else ""
    assert f"{reason}. First: {shown}may.csv, line 1202 (row 1201). 1 row is affected." in str(refusal.value)


def test_future_times_pass_by_choice(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", INTERACTIONS_HEADER, [*interactions(), "u1,i1,watch,4102444800,"])
    assert run(tmp_path, "INTERACTIONS", [file])[0]["TIMESTAMP"].max() == 4102444800


def test_interactions_need_a_thousand_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", INTERACTIONS_HEADER, interactions(999))
    with pytest.raises(EngineError, match="at least 1000 interactions; Input CSV has 999"):
        run(tmp_path, "INTERACTIONS", [file])


def test_equal_interactions_count_once_and_others_of_the_pair_stay(tmp_path: Path) -> None:
    rows = interactions(1000)
    later = rows[0].replace("1600000000", "1600009999")
    file = write(tmp_path / "a.csv", INTERACTIONS_HEADER, [*rows, rows[0], rows[0], rows[7], later])
    kept, log_file, report = run(tmp_path, "INTERACTIONS", [file])
    assert (kept.height, log_file.rows, report) == (1001, 1001, ImportReport(rows_read=1004, rows_total=1001))
    assert kept.is_duplicated().sum() == 0


def test_of_equal_items_the_last_stays_in_place(tmp_path: Path) -> None:
    assert items(tmp_path, f"{ITEMS_HEADER}\na,,1,,,\na,,2,,,\na,,1,,,\n") == [
        row(ITEM_ID="a", PRICE=2.0),
        row(ITEM_ID="a", PRICE=1.0),
    ]


def test_a_folder_of_files_is_one_import(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", INTERACTIONS_HEADER, interactions(600))
    second = write(tmp_path / "b.csv", INTERACTIONS_HEADER, interactions(600, first=500))
    assert run(tmp_path, "INTERACTIONS", [first, second])[2] == ImportReport(rows_read=1200, rows_total=1100)


def test_a_folder_of_mixed_files_is_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", INTERACTIONS_HEADER, interactions())
    second = write(tmp_path / "b.csv", "USER_ID,AGE", ["u1,3"])
    with pytest.raises(EngineError, match=r"same header: b\.csv has USER_ID,AGE, a\.csv has USER_ID,ITEM_ID"):
        run(tmp_path, "INTERACTIONS", [first, second])


def test_the_error_names_the_file_of_a_folder(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", INTERACTIONS_HEADER, interactions())
    second = write(tmp_path / "b.csv", INTERACTIONS_HEADER, ["u1,i1,watch,soon,"])
    with pytest.raises(EngineError, match=r"First: 'soon' in b\.csv, line 2 \(row 1\)"):
        run(tmp_path, "INTERACTIONS", [first, second])


def test_incremental_needs_a_full_import_first(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", INTERACTIONS_HEADER, interactions())
    with pytest.raises(EngineError, match="first bulk import into a dataset must be FULL"):
        run(tmp_path, "INTERACTIONS", [file], "INCREMENTAL")


def test_incremental_leaves_out_interactions_already_there(tmp_path: Path) -> None:
    full = write(tmp_path / "a.csv", INTERACTIONS_HEADER, interactions(1500))
    _, log_file, _ = run(tmp_path, "INTERACTIONS", [full])
    more = write(tmp_path / "b.csv", INTERACTIONS_HEADER, interactions(1000, first=1000))
    kept, _, report = run(tmp_path, "INTERACTIONS", [more], "INCREMENTAL", [log_file])
    assert (kept.height, report) == (500, ImportReport(rows_read=1000, rows_total=2000))


def test_incremental_imports_are_limited_to_a_gigabyte(tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as sparse:
        sparse.truncate(1_000_000_001)
    with pytest.raises(EngineError, match=r"can have at most 1 GB; the input has 1\.00 GB"):
        run(tmp_path, "ITEMS", [file], "INCREMENTAL")
