"""Inspect a CSV file of any size against a schema, in bounded memory, and name what is wrong.

Good rows are matched many at a time by one compiled pattern. Where it stops, one row is looked at cell by cell, and the
pattern goes on behind it. The state between two chunks is small and can be written down, so that an inspection may
be carried on by somebody else from `offset`.
"""

import re
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from lambdas.file_checks.columns import ANY_CELL, Column, Fault
from lambdas.file_checks.header import content_fault, header_faults, names_of
from lambdas.file_checks.rows import BadRowError, split_row
from lambdas.names import shown

LONGEST_LINE_BYTES: Final = 1 << 20
REPORTED_FINDINGS: Final = 100
# Small enough that starting afresh behind each of many bad rows costs little.
_PIECE_BYTES: Final = 1 << 18


class Finding(BaseModel):
    """One thing that is wrong in a file, and where."""

    model_config = ConfigDict(frozen=True)

    line: int
    column: str
    value: str
    rule: str
    advice: str
    uncertain: bool = False


class InspectionProgress(BaseModel):
    """How far an inspection has come: all that the next slice needs to go on."""

    offset: int = 0  # bytes that were looked at, always whole lines
    lines: int = 0
    rows: int = 0
    bad_rows: int = 0
    faults: int = 0  # all of them; `findings` ends at a limit
    header: list[str] = []
    hopeless: bool = False  # no row can be saved: the header or the encoding is wrong
    findings: list[Finding] = []


class Inspector:
    """A reader that checks a file's bytes as they come. `progress` is the state and the result.

    Its findings say nothing of what stands in the file, but where, unless it `quotes`.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        progress: InspectionProgress | None = None,
        *,
        keep: bool = False,
        quotes: bool = True,
    ) -> None:
        self.progress = progress or InspectionProgress()
        self._columns = columns
        self._keep = keep
        self._quotes = quotes
        self._rest = b""
        if self.progress.header:
            self._compile()

    def feed(self, chunk: bytes) -> bytes:
        """Look at the next bytes of the file; return the good ones of their whole lines, if it is to keep them."""
        data = self._rest + chunk
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        good = self._look_at(data[:end])
        if len(self._rest) > LONGEST_LINE_BYTES:
            endless = Fault("line", f"a line is longer than {LONGEST_LINE_BYTES:,} bytes: is it CSV text?")
            self._give_up("", (None if self.progress.lines else content_fault(self._rest)) or endless)
        return good

    def finish(self) -> bytes:
        """Look at a last line that has no end; return it if it is good."""
        last, self._rest = self._rest, b""
        good = b""
        if last and not self.progress.hopeless:
            good = self._look_at(last + b"\n")
            self.progress.offset -= 1  # the line end that the file does not have
        if not self.progress.lines and not self.progress.hopeless:
            self._give_up("", Fault("empty", "the file is empty; it needs a header line and rows"))
        elif not self.progress.rows and not self.progress.faults:
            self._give_up("", Fault("empty", "the file has a header line and no rows"))
        return good

    def _look_at(self, lines: bytes) -> bytes:
        good = bytearray()
        start = 0
        while start < len(lines) and not self.progress.hopeless:
            end = lines.rfind(b"\n", start, start + _PIECE_BYTES) + 1 or lines.index(b"\n", start) + 1
            good += self._look_at_piece(lines[start:end])
            start = end
        return bytes(good)

    def _look_at_piece(self, piece: bytes) -> bytes:
        position = 0 if self.progress.lines else self._read_header(piece)
        good = bytearray(piece[:position] if self._keep else b"")
        while position < len(piece) and not self.progress.hopeless:
            end = self._skip_good_rows(piece, position)
            if self._keep:
                good += piece[position:end]
            position = end
            if position < len(piece):
                end = piece.index(b"\n", position) + 1
                if self._is_good(piece[position:end]) and self._keep:
                    good += piece[position:end]
                position = end
        self.progress.offset += len(piece)
        return bytes(good)

    def _read_header(self, piece: bytes) -> int:
        end = piece.index(b"\n") + 1
        self.progress.lines = 1
        if fault := content_fault(piece):
            self._give_up("", fault)
            return end
        try:
            self.progress.header = names_of(piece[:end].rstrip(b"\r\n").decode(), self._columns)
        except UnicodeDecodeError:
            self._give_up("", Fault("encoding", "the header is not UTF-8 text"))
            return end
        for name, fault in header_faults(self.progress.header, self._columns):
            self._give_up(name, fault)
        self._compile()
        return end

    def _compile(self) -> None:
        by_name = {column.name: column for column in self._columns}
        self._cells = [by_name.get(name) for name in self.progress.header]
        row = b",".join(column.pattern if column else ANY_CELL for column in self._cells)
        self._good = re.compile(rb"(?:%s\r?+\n)*+" % row)

    def _skip_good_rows(self, piece: bytes, start: int) -> int:
        match = self._good.match(piece, start, end_of_text(piece, start))
        end = match.end() if match else start
        rows = piece.count(b"\n", start, end)
        self.progress.rows += rows
        self.progress.lines += rows
        return end

    def _is_good(self, line: bytes) -> bool:
        self.progress.lines += 1
        try:
            faults = self._faults_of(split_row(line))
        except BadRowError as error:
            faults = [("", error.value, error.fault)]
        for column, value, fault in faults:
            self._note(column, value, fault)
        if faults:
            self.progress.bad_rows += 1
        else:
            self.progress.rows += 1
        return not faults

    def _faults_of(self, cells: Sequence[str]) -> list[tuple[str, str, Fault]]:
        if len(cells) != len(self._cells):
            advice = f"the header has {len(self._cells)} columns, this line has {len(cells)}"
            raise BadRowError(Fault("columns", advice), ",".join(cells))
        found = [
            (column.name, cell, column.fault(cell)) for column, cell in zip(self._cells, cells, strict=True) if column
        ]
        return [(name, cell, fault) for name, cell, fault in found if fault]

    def _note(self, column: str, value: str, fault: Fault) -> None:
        self.progress.faults += 1
        if len(self.progress.findings) < REPORTED_FINDINGS:
            # A header may name anything: without one, the first row is taken for it.
            told = column if self._quotes or column in {known.name for known in self._columns} else ""
            words = {"value": shown(value) if self._quotes else "", "rule": fault.rule, "advice": fault.advice}
            finding = Finding(line=self.progress.lines, column=told, uncertain=fault.uncertain, **words)
            self.progress.findings.append(finding)

    def _give_up(self, column: str, fault: Fault) -> None:
        self.progress.hopeless = True
        self.progress.lines = max(1, self.progress.lines)
        self._note(column, "", fault)


def end_of_text(piece: bytes, start: int) -> int:
    """Return where the first line begins that is not UTF-8."""
    try:
        piece[start:].decode()
    except UnicodeDecodeError as error:
        return piece.rfind(b"\n", start, start + error.start) + 1 or start
    return len(piece)
