"""Mended copies: whatever cells hold, the copy fits, and says what the file said."""

import csv
import string
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from control.data_files.checking import check, kind_of
from control.data_files.epoch_seconds import seconds_of
from control.data_files.mending import mend
from lambdas.file_checks.rows import split_row

TITLES = st.text(alphabet=string.ascii_letters + ',;|"\\\r\n\t é€', max_size=30)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    titles=st.lists(TITLES, min_size=1, max_size=6),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
)
def test_a_mended_copy_fits_and_keeps_every_title(
    tmp_path: Path, titles: list[str], encoding: str, separator: str
) -> None:
    source, target = tmp_path / "movies.csv", tmp_path / "mended.csv"
    with source.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, delimiter=separator)
        writer.writerow(["movieId", "title"])
        writer.writerows([number, f"x{title}"] for number, title in enumerate(titles))
    kind = kind_of(source)
    mend(source, target, kind.columns, kind.renamed)
    progress = check(target, kind.columns)
    assert (progress.faults, progress.rows) == (0, len(titles)), progress.findings
    rows = [split_row(line) for line in target.read_bytes().split(b"\n")[1:-1]]
    assert ["".join(row[1].split()) for row in rows] == ["".join(f"x{title}".split()) for title in titles]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("964982703", 964982703),
        ("964982703.7", 964982703),
        ("1433221332117", 1433221332),
        ("1433221332117000", 1433221332),
        ("1433221332117000000", 1433221332),
        ("2015-06-02T05:02:12Z", 1433221332),
        ("2015-06-02 07:02:12+02:00", 1433221332),
        ("2015-06-02", 1433203200),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_moment_is_read_in_every_usual_form(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_what_needs_a_guess_stays_and_is_told(tmp_path: Path) -> None:
    source, target = tmp_path / "u.csv", tmp_path / "mended.csv"
    source.write_text("userId,itemId,timestamp\n1,2,tomorrow\n,3,964982703\n4,5\n6,7,964982703,8\n9,10,964982703\n")
    kind = kind_of(source)
    mend(source, target, kind.columns, kind.renamed)
    progress = check(target, kind.columns)
    assert (progress.rows, progress.bad_rows) == (1, 4)
    assert [finding.line for finding in progress.findings] == [2, 3, 4, 5]


def test_words_for_nothing_and_spaces_are_mended(tmp_path: Path) -> None:
    source, target = tmp_path / "items.csv", tmp_path / "mended.csv"
    source.write_text("item_id,Year,Colour\n1, 1999 ,null\n2,N/A,red\n3,2001,red\n4,2002,red\n")
    kind = kind_of(source)
    done = mend(source, target, kind.columns, kind.renamed)
    assert target.read_text().splitlines()[:3] == ["ITEM_ID,YEAR,COLOUR", "1,1999,", "2,,red"]
    assert done.counts["words for nothing, like null: now empty"] == 2
