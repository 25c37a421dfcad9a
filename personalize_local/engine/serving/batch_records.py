"""Read the input of a batch job: one JSON object per line, and what is wrong with it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

_CHUNK_BYTES = 64 << 20
_NOT_AN_OBJECT = json.dumps("User error: The line is not a JSON object")


@dataclass
class BatchRecords:
    """A chunk of a batch job's input lines. A line with an error has no key, and the error instead."""

    echo: pl.Series  # each line as JSON text
    keys: pl.Series  # user or item ids; null where the line is wrong
    errors: pl.Series  # JSON text; null where the line is right
    details: Mapping[int, Mapping[str, Any]]  # the parsed lines that hold more than one id

    def __len__(self) -> int:
        return len(self.echo)

    def refuse(self, row: int, reason: str) -> None:
        """Note why a line that looked right cannot be answered."""
        self.errors = self.errors.scatter(row, json.dumps(f"User error: {reason}"))

    def values(self, row: int) -> Mapping[str, str]:
        """Return the line's filterValues."""
        given: Mapping[str, str] = self.details.get(row, {}).get("filterValues") or {}
        return given


class BatchAnswers(NamedTuple):
    """How a job's lines are answered."""

    answer: Callable[[BatchRecords], pl.Series]  # the `output` of each line as JSON text; ignored where a line is wrong
    fields: tuple[str, ...]  # members a line must have; the first is its key
    chunk_size: int  # lines answered in one go


def read_records(path: Path, fields: Sequence[str], chunk_size: int) -> Iterator[BatchRecords]:
    """Yield the lines of a file, at most `at_once` in a chunk; blank lines are skipped."""
    with path.open("rb") as file:
        waiting: list[bytes] = []
        while lines := file.readlines(_CHUNK_BYTES):
            waiting += [line for line in lines if not line.isspace()]
            while len(waiting) >= chunk_size:
                yield _parse(waiting[:chunk_size], fields)
                waiting = waiting[chunk_size:]
        if waiting:
            yield _parse(waiting, fields)


def _parse(lines: Sequence[bytes], fields: Sequence[str]) -> BatchRecords:
    echo = _decode(lines).str.strip_prefix("\ufeff").str.strip_chars()
    simple = rf'^\{{\s*"{fields[0]}"\s*:\s*"([^"\\\x00-\x1f\x{{FFFD}}]+)"\s*\}}$'
    keys = echo.str.extract(simple) if len(fields) == 1 else pl.Series([None] * len(lines), dtype=pl.String)
    rest = keys.is_null().arg_true().to_list()
    parsed_lines = [_parse_line(line, fields) for line in (lines[row] for row in rest)]
    positions = pl.Series(rest, dtype=pl.UInt32)
    return BatchRecords(
        echo.scatter(positions, pl.Series([line.echo for line in parsed_lines], dtype=pl.String)) if rest else echo,
        keys.scatter(positions, pl.Series([line.key for line in parsed_lines], dtype=pl.String)) if rest else keys,
        pl.Series([None] * len(lines), dtype=pl.String).scatter(
            positions, pl.Series([line.error for line in parsed_lines], dtype=pl.String)
        ),
        {row: line.parsed for row, line in zip(rest, parsed_lines, strict=True) if line.parsed},
    )


def _decode(lines: Sequence[bytes]) -> pl.Series:
    """Return the lines as text; in a chunk with bytes that are not UTF-8, those are replaced."""
    try:
        return pl.Series(lines, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series([line.decode(errors="replace") for line in lines], dtype=pl.String)


@dataclass(frozen=True)
class _Line:
    echo: str
    key: str | None = None
    error: str | None = None
    parsed: Mapping[str, Any] | None = None


def _parse_line(line: bytes, fields: Sequence[str]) -> _Line:
    text = line.decode("utf-8-sig", errors="replace").strip()
    try:
        parsed = json.loads(line.decode("utf-8-sig"))
    except ValueError:  # UnicodeDecodeError included
        return _Line(json.dumps(text), error=_NOT_AN_OBJECT)
    if not isinstance(parsed, dict):
        return _Line(text, error=_NOT_AN_OBJECT)
    problem = _problem(parsed, fields)
    if problem:
        return _Line(text, error=json.dumps(f"User error: {problem}"))
    return _Line(text, key=parsed[fields[0]], parsed=parsed)


def _problem(parsed: Mapping[str, Any], fields: Sequence[str]) -> str | None:
    if any(not parsed.get(name) for name in fields):
        return f"Required fields for the provided recipe are {', '.join(fields)}"
    for name in fields:
        value = parsed[name]
        if name == "itemList":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                return "itemList must be a list of strings"
        elif not isinstance(value, str):
            return f"{name} must be a string"
    values = parsed.get("filterValues")
    if values is not None and not (
        isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
    ):
        return "filterValues must be an object of strings"
    return None
