"""Whatever the inspection of an upload accepts, the engine imports, and the other way round, but for a short list."""

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lambdas.file_checks.columns import columns_of
from lambdas.file_checks.csv_check import Inspector
from personalize_local.engine.api import DatasetType, EngineError
from personalize_local.engine.datasets.csv_import import ImportTask, import_csv

ITEMS: dict[str, Any] = {
    "ITEM_ID": "string",
    "COUNT": "int",
    "STOCK": ["null", "long"],
    "PRICE": "float",
    "RATING": ["null", "double"],
    "AVAILABLE": ["null", "boolean"],
    "TITLE": ["null", "string"],
    "CREATION_TIMESTAMP": "long",
}
INTERACTIONS: dict[str, Any] = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}
NAMES = list(ITEMS)


def avro(record: str, fields: dict[str, Any]) -> str:
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    namespace = "com.amazonaws.personalize.schema"
    return json.dumps({"type": "record", "name": record, "namespace": namespace, "fields": listed, "version": "1.0"})


SCHEMAS: dict[DatasetType, str] = {"ITEMS": avro("Items", ITEMS), "INTERACTIONS": avro("Interactions", INTERACTIONS)}


def inspection(content: bytes, kind: DatasetType = "ITEMS") -> str:
    """Return why the inspection refuses a file; nothing when it accepts it."""
    inspector = Inspector(columns_of(SCHEMAS[kind], kind.lower()))
    inspector.feed(content)
    inspector.finish()
    return "; ".join(f"{each.column} {each.value!r}: {each.advice}" for each in inspector.progress.findings)


def engine(content: bytes, kind: DatasetType = "ITEMS") -> str:
    """Return why the engine refuses a file; nothing when it imports it."""
    with tempfile.TemporaryDirectory() as folder:
        file, incoming = Path(folder, "upload.csv"), Path(folder, "incoming")
        file.write_bytes(content)
        incoming.mkdir()
        try:
            import_csv(ImportTask(kind, SCHEMAS[kind], [file], "FULL", incoming, ()))
        except EngineError as error:
            return str(error)
    return ""


def items(**cells: str) -> bytes:
    """Return a file with one row: a good one, but for the cells given."""
    good = {"ITEM_ID": "alien", "COUNT": "1", "PRICE": "2.5", "CREATION_TIMESTAMP": "1700000000"}
    return f"{','.join(NAMES)}\n{','.join({**good, **cells}.get(name, '') for name in NAMES)}\n".encode()


@dataclass(frozen=True)
class Difference:
    """One of the two accepts what the other refuses, and that may stay so for a reason."""

    accepts: Literal["inspection", "engine"]
    reason: str
    applies: Callable[[bytes], bool]
    example: bytes


def has(pattern: bytes) -> Callable[[bytes], bool]:
    """Return whether a file holds something, wherever it stands."""
    return lambda content: re.search(pattern, content, re.MULTILINE) is not None


# Each time the inspection is the stricter one: what the service does with these files nobody says, and a refusal here
# costs an upload, an import that fails or brings something else than was meant costs a job.
KNOWN = [
    Difference(
        "engine",
        "words for nothing would become ids",
        has(rb'(?i)(^|,)"?(null|nan|none|n/a|undefined)"?(,|\r?$)'),
        items(ITEM_ID="null"),
    ),
    Difference(
        "engine",
        "a backslash before the last quote: plain to the engine, an open quote by the guide",
        has(rb'\\"(,|\r?$)'),
        items(TITLE='"a\\"'),
    ),
    Difference("engine", "zero bytes: a sign of a file that is no text", has(rb"\x00"), items(TITLE="a\x00b")),
    Difference("engine", "a byte order mark", has(rb"\A\xef\xbb\xbf"), b"\xef\xbb\xbf" + items()),
    Difference("engine", "a header in quotes", has(rb'\A[^\n]*"'), items().replace(b"ITEM_ID", b'"ITEM_ID"')),
]

TEXTS = ["alien", "日本", "a'b", "a b", '"x, y"', '"say \\"hi\\""', '"a\\\\b"', "a\\b", "NA", "x" * 256, "x" * 257]
ODD_TEXTS = [
    "",
    '""',
    "null",
    "None",
    '"a""b"',
    'a"b',
    '"open',
    " ",
    "é" * 256,
    "é" * 1000,
    "x" * 1001,
    '"a\\"',
    "a\x00b",
]
WHOLE = ["0", "7", "-3", "+3", "007", "2147483647", "-2147483648", "9223372036854775807", '"5"', "-0"]
ODD_WHOLE = ["", "2147483648", "9223372036854775808", "1.0", "1e3", " 1", "1 ", "x", "0x10", "1_000", "--1", "٣"]
NUMBERS = ["0", "2.5", "-1", "1e3", "1E-3", "+2", ".5", "5.", '"1.5"', "1e38", "123456789.123456789"]
ODD_NUMBERS = ["", "nan", "inf", "-Infinity", "1e39", "1e309", "1,5", " 1", "1 ", "x", "1e", "0x1p3", "1e-400"]
TRUTHS = ["true", "false", "TRUE", "False", '"true"', ""]
ODD_TRUTHS = ["yes", "1", "t", " true", "true "]
TIMES = ["0", "1700000000", "99999999999", '"1600000000"']
ODD_TIMES = ["", "-1", "100000000000", "1700000000000", "2024-01-01", "1.7e9"]
CELLS = {
    "ITEM_ID": (TEXTS, ODD_TEXTS),
    "COUNT": (WHOLE, ODD_WHOLE),
    "STOCK": (WHOLE, ODD_WHOLE),
    "PRICE": (NUMBERS, ODD_NUMBERS),
    "RATING": (NUMBERS, ODD_NUMBERS),
    "AVAILABLE": (TRUTHS, ODD_TRUTHS),
    "TITLE": (TEXTS, ODD_TEXTS),
    "CREATION_TIMESTAMP": (TIMES, ODD_TIMES),
}


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a file that is good but for a few things."""
    header = draw(st.permutations(NAMES)) if draw(st.booleans()) else list(NAMES)
    header += draw(st.sampled_from([[], [], [], ["EXTRA"]]))
    mark = draw(st.sampled_from(["", "", "", "", "", "", '"', " "]))
    missing = draw(st.sampled_from([None] * 9 + ["TITLE", "EXTRA"]))
    header = [name for name in header if name != missing]
    odd = draw(st.sets(st.sampled_from(NAMES), max_size=1))
    lines = [",".join(_cell(draw, name, odd) for name in header) for _ in range(draw(st.integers(1, 3)))]
    strays = ["", ",", lines[0] + ",", lines[0].rpartition(",")[0], "\ufeff", "\x00"]
    lines += draw(st.lists(st.sampled_from(strays), max_size=1)) if draw(st.integers(0, 3)) == 0 else []
    ends = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = ends.join([",".join([f"{mark}{header[0]}{mark}", *header[1:]]), *lines]) + draw(
        st.sampled_from([ends, ends, ""])
    )
    return draw(st.sampled_from(["", "", "", "", "\ufeff"])).encode() + text.encode(draw(_ENCODINGS), errors="replace")


_ENCODINGS = st.sampled_from(["utf-8"] * 8 + ["latin-1", "utf-16"])


def _cell(draw: st.DrawFn, name: str, odd: set[str]) -> str:
    good_ones, odd_ones = CELLS.get(name, (["", "whatever"], ["whatever"]))
    return draw(st.sampled_from(good_ones + odd_ones if name in odd else good_ones))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
@example(items(PRICE="1e39"))
@example(items(ITEM_ID='"a""b"'))
def test_both_accept_the_same_files(content: bytes) -> None:
    refusals = {"inspection": inspection(content), "engine": engine(content)}
    accepting = [name for name, refusal in refusals.items() if not refusal]
    if len(accepting) == 1:
        known = [each for each in KNOWN if each.accepts == accepting[0] and each.applies(content)]
        assert known, refusals


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.reason)
def test_a_known_difference_is_still_one(known: Difference) -> None:
    assert known.applies(known.example)
    verdicts = {"inspection": not inspection(known.example), "engine": not engine(known.example)}
    assert [name for name, accepts in verdicts.items() if accepts] == [known.accepts]


@pytest.mark.parametrize("length", [256, 257])
def test_the_length_of_an_event_type_is_one_fact(length: int) -> None:
    rows = "".join(f"u{n},i,1700000000,{'x' * length}\n" for n in range(1000))
    content = f"{','.join(INTERACTIONS)}\n{rows}".encode()
    assert (not inspection(content, "INTERACTIONS")) == (not engine(content, "INTERACTIONS")) == (length <= 256)


@pytest.mark.parametrize("content", [items(COUNT=""), items(COUNT="1999-2003"), items().replace(b"COUNT", b"Count")])
def test_what_the_service_was_seen_to_take_fails_here(content: bytes) -> None:
    """Whoever lets such files through to AWS is told by the local cloud that this is not what the guide says."""
    inspector = Inspector(columns_of(SCHEMAS["ITEMS"], "items", lenient=True))
    inspector.feed(content)
    inspector.finish()
    assert inspector.progress.faults == 0
    assert inspection(content)
    assert engine(content)
