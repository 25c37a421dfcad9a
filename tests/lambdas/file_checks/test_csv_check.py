"""Inspection against an outside authority (Python's csv module) and against its own slow path."""

import csv
import io
import json
import random
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.file_checks.columns import Column, Fault, UnreadableSchemaError, columns_of
from lambdas.file_checks.csv_check import LONGEST_LINE_BYTES, InspectionProgress, Inspector
from lambdas.file_checks.reports import report_of, text_of
from lambdas.file_checks.rows import BadRowError, split_row


def schema(**fields: object) -> str:
    return json.dumps({"type": "record", "fields": [{"name": name, "type": kind} for name, kind in fields.items()]})


INTERACTIONS = columns_of(
    schema(USER_ID="string", ITEM_ID="string", EVENT_VALUE=["null", "float"], TIMESTAMP="long"), "interactions"
)
HEADER = b"USER_ID,ITEM_ID,EVENT_VALUE,TIMESTAMP\n"


def inspect(
    content: bytes, columns: tuple[Column, ...] = INTERACTIONS, chunk_bytes: int = 1 << 16
) -> InspectionProgress:
    inspector = Inspector(columns)
    for start in range(0, len(content), chunk_bytes):
        inspector.feed(content[start : start + chunk_bytes])
    inspector.finish()
    return inspector.progress


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"\n", b""])
def test_line_ends_of_both_kinds_are_fine_and_the_last_may_be_missing(end: bytes, last: bytes) -> None:
    rows = end.join([b"ann,alien,1.5,1700000000", b"bob,brazil,,1700000001"]) + (end if last else b"")
    progress = inspect(HEADER.replace(b"\n", end) + rows)
    assert (progress.rows, progress.faults) == (2, 0)


def test_columns_may_stand_in_any_order_and_others_are_ignored() -> None:
    content = b"TIMESTAMP,NOTE,ITEM_ID,EVENT_VALUE,USER_ID\n1700000000,whatever,alien,2,ann\n"
    assert inspect(content).rows == 1


@pytest.mark.parametrize(
    "cell", ['"ann"', '"an, n"', '"a\\"nn"', '"a\\\\nn"', "日本", "a'b", "a b", "a\\b", "ann@example.com"]
)
def test_good_ids(cell: str) -> None:
    assert inspect(HEADER + f"{cell},alien,1,1700000000\n".encode()).faults == 0


@pytest.mark.parametrize("cell", ["1", "-1.5", "+2", "1e3", "1E-3", ".5", "5.", "", '"1.5"', '""'])
def test_good_floats(cell: str) -> None:
    assert inspect(HEADER + f"ann,alien,{cell},1700000000\n".encode()).faults == 0


@pytest.mark.parametrize("cell", ["x", "1,5", "0x10", "inf", "nan", "1_000", "1 ", "--1", "1e", "\u0661"])
def test_bad_floats(cell: str) -> None:
    assert inspect(HEADER + f"ann,alien,{cell},1700000000\n".encode()).bad_rows == 1


def test_whole_numbers_fit_their_type() -> None:
    columns = columns_of(schema(USER_ID="string", AGE="int", POINTS="long", VIP="boolean"), "users")
    good = ["2147483647,9223372036854775807,true", "-2147483648,-9223372036854775808,FALSE"]
    bad = ["2147483648,1,true", "1,9223372036854775808,true", "1.0,1,true", "1,1,yes"]
    rows = "".join(f"u,{row}\n" for row in good + bad)
    progress = inspect(f"USER_ID,AGE,POINTS,VIP\n{rows}".encode(), columns)
    assert (progress.rows, progress.bad_rows) == (len(good), len(bad))


def test_the_events_of_action_interactions_are_reserved_words() -> None:
    """A fact: EVENT_TYPE of action interactions is Taken, Not Taken or Viewed (developer guide)."""
    columns = columns_of(
        schema(USER_ID="string", ACTION_ID="string", EVENT_TYPE="string", TIMESTAMP="long"), "action_interactions"
    )
    header = b"USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n"
    assert inspect(header + b"u,a,Taken,1\nu,a,Not Taken,1\nu,a,Viewed,1\n", columns).rows == 3
    assert inspect(header + b"u,a,Bought,1\n", columns).findings[0].rule == "reserved"


def test_textual_columns_may_be_long_and_others_may_not() -> None:
    """A fact: the service cuts textual values and refuses others above 1,000 characters."""
    fields = [{"name": "ITEM_ID", "type": "string"}, {"name": "PLOT", "type": "string", "textual": True}]
    columns = columns_of(json.dumps({"fields": fields}), "items")
    assert inspect(b"ITEM_ID,PLOT\na," + b"x" * 15000 + b"\n", columns).faults == 0
    plain = columns_of(schema(ITEM_ID="string", GENRE="string"), "items")
    assert inspect(b"ITEM_ID,GENRE\na," + "é".encode() * 1000 + b"\n", plain).faults == 0
    assert inspect(b"ITEM_ID,GENRE\na," + b"x" * 1001 + b"\n", plain).bad_rows == 1


def test_a_file_that_is_one_endless_line_is_given_up_in_bounded_memory() -> None:
    inspector = Inspector(INTERACTIONS)
    inspector.feed(HEADER)
    while not inspector.progress.hopeless:
        inspector.feed(b"x" * (1 << 16))
    assert inspector.progress.findings[0].rule == "line"
    assert len(inspector._rest) <= LONGEST_LINE_BYTES + (1 << 16)


def test_memory_does_not_grow_with_the_file() -> None:
    chunk = b"".join(b"user%d,item%d,1.5,%d\n" % (n, n % 97, 1_700_000_000 + n) for n in range(20_000))
    inspector = Inspector(INTERACTIONS)
    inspector.feed(HEADER)
    tracemalloc.start()
    for _ in range(40):
        inspector.feed(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert inspector.progress.rows == 800_000
    assert peak < 8 * len(chunk)


def test_all_faults_are_counted_and_the_first_are_reported() -> None:
    progress = inspect(HEADER + b"ann,alien,1,yesterday\n" * 5000 + b"bob,alien,1,1700000000\n")
    assert (progress.faults, progress.bad_rows, progress.rows, len(progress.findings)) == (5000, 5000, 1, 100)


def test_good_rows_come_back_without_the_bad_ones() -> None:
    inspector = Inspector(INTERACTIONS, keep=True)
    good = inspector.feed(HEADER + b"ann,a,1,1\nbob,b,x,1\n\xff,b,1,1\ncid,c,,3\n") + inspector.finish()
    assert good == HEADER + b"ann,a,1,1\ncid,c,,3\n"


ROWS = st.lists(
    st.one_of(
        st.from_regex(r'[ab",\\\n\r 1é]{0,12}', fullmatch=True).map(str.encode),
        st.binary(max_size=12),
        st.sampled_from([b"ann,alien,1,1700000000", b'"a,nn",alien,,1', b"ann,null,1,1", b"ann,alien,1,1700000000000"]),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, chunk_bytes=st.integers(1, 64))
def test_the_fast_path_agrees_with_the_slow_one(rows: list[bytes], chunk_bytes: int) -> None:
    """Whatever the compiled pattern lets pass, the row-by-row reading lets pass too; and chunks make no difference."""
    content = HEADER + b"".join(row + b"\n" for row in rows)
    slow = Inspector(INTERACTIONS)
    slow.feed(HEADER)
    for line in re.findall(rb"[^\n]*\n", content)[1:]:
        slow._is_good(line)
    fast = inspect(content, chunk_bytes=chunk_bytes)
    assert fast == inspect(content)
    assert (fast.rows, fast.bad_rows) == (slow.progress.rows, slow.progress.bad_rows)


@settings(max_examples=200, deadline=None)
@given(cells=st.lists(st.text(st.characters(exclude_characters="\r\n\x00", codec="utf-8"), max_size=8), min_size=2))
def test_a_row_is_taken_apart_as_the_csv_module_writes_it(cells: list[str]) -> None:
    """A fact about the format: quotes, with a backslash before a quote or a backslash."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\").writerow(cells)
    assert split_row(text.getvalue().encode()) == cells


def test_speed_does_not_collapse_when_every_row_is_bad() -> None:
    """Half a million bytes of bad rows: each starts the pattern afresh, which must not read the rest again."""
    rng = random.Random(1)
    latin = b"".join(b"us\xe9r%d,item,1,%d\n" % (rng.randrange(999), 1_700_000_000 + n) for n in range(20_000))
    progress = inspect(HEADER + latin, chunk_bytes=1 << 20)
    assert progress.bad_rows == 20_000


@pytest.mark.parametrize("text", ["", "[]", '{"fields": [{"name": "A", "type": ["int", "string"]}]}', '{"fields": 3}'])
def test_a_schema_that_is_no_flat_record_is_refused(text: str) -> None:
    with pytest.raises(UnreadableSchemaError):
        columns_of(text, "items")


def test_what_is_wrong_with_a_line_is_told_with_the_rest_of_it() -> None:
    with pytest.raises(BadRowError, match="not closed"):
        split_row(b'a,"b\n')


def test_what_the_real_service_imports_is_good() -> None:
    """Fact: executed public notebooks show ACTIVE imports of such cells."""
    columns = columns_of(schema(CREATION_TIMESTAMP="long", TITLE="string", COUNT="int"), "items")
    rows = [b"-86400,plain,1", b'0,"a ""smart"" phone", 7', b'5,"back\\\\slash \\"quoted\\"", -3']
    content = b"CREATION_TIMESTAMP,TITLE,COUNT\n" + b"\n".join(rows)
    inspector = Inspector(columns)
    inspector.feed(content)
    inspector.finish()
    assert (inspector.progress.rows, inspector.progress.findings) == (3, [])


@pytest.mark.parametrize("cell", ["9" * 5_000, "-" + "9" * 400, "1e999", "9" * 400_000])
def test_monstrous_numbers_are_faults_of_bounded_words(cell: str) -> None:
    for kind in ("int", "long", "float", "double"):
        (column,) = columns_of(schema(COUNT=kind), "items")
        fault = column.fault(cell)
        assert fault is not None
        assert len(fault.advice) < 300


@pytest.mark.parametrize(
    "header",
    [",".join(f"C{number}" for number in range(100_000)), "x" * 500_000 + ",COUNT", '"' + "y" * 500_000 + '",COUNT'],
)
def test_monstrous_headers_are_refused_in_bounded_words(header: str) -> None:
    inspector = Inspector(columns_of(schema(COUNT="int", USER_ID="string"), "items"))
    inspector.feed(f"{header}\n1,2\n".encode())
    inspector.finish()
    assert inspector.progress.hopeless
    assert len(inspector.progress.findings[0].model_dump_json()) < 1_000


def test_lone_carriage_returns_are_named() -> None:
    inspector = Inspector(columns_of(schema(COUNT="int"), "items"))
    inspector.feed(b"COUNT\r1\r2\r")
    inspector.finish()
    assert "lone carriage returns" in inspector.progress.findings[0].advice


UNCERTAIN = [
    "ITEM_ID,COUNT\nalien,\n",
    "ITEM_ID,COUNT\nalien,1999-2003\n",
    'ITEM_ID,COUNT\nalien,"1,5"\n',
    '"ITEM_ID","COUNT"\nalien,1\n',
    "item_id,Count\nalien,1\n",
]


@pytest.mark.parametrize("content", UNCERTAIN)
@pytest.mark.parametrize("chunk_bytes", [3, 1 << 16])
def test_what_the_service_was_seen_to_take_is_refused_with_a_hint_or_passes(content: str, chunk_bytes: int) -> None:
    """Observed: executed public notebooks of AWS whose imports of such files are ACTIVE."""
    verdicts = []
    for lenient in (False, True):
        inspector = Inspector(columns_of(schema(ITEM_ID="string", COUNT="int"), "items", lenient=lenient))
        for start in range(0, len(content), chunk_bytes):
            inspector.feed(content[start : start + chunk_bytes].encode())
        inspector.finish()
        report = report_of("s3://bucket/key", "1", inspector.progress, "rejected")
        verdicts.append((inspector.progress.faults > 0, "hint" in report, '"IMPORT"' in text_of(report)))
    assert verdicts == [(True, True, True), (False, False, False)]


@pytest.mark.parametrize("cells", ["alien", ",1", '"open,1', "a,1,2"])
def test_leniency_ends_where_nothing_was_seen(cells: str) -> None:
    inspector = Inspector(columns_of(schema(ITEM_ID="string", COUNT="int"), "items", lenient=True))
    inspector.feed(f"ITEM_ID,COUNT\n{cells}\n".encode())
    inspector.finish()
    assert inspector.progress.bad_rows == 1


def test_a_time_is_never_uncertain() -> None:
    (column,) = columns_of(schema(TIMESTAMP="long"), "interactions", lenient=True)
    assert column.fault("") == Fault("null", "TIMESTAMP must not be empty")
