"""Split a line of a CSV file as the service does: comma, double quotes, backslash before a quote or a backslash."""

import re
from typing import Final

from lambdas.file_checks.columns import Fault

_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.|"")*)"(?=,|$)', re.DOTALL)
_BARE: Final = re.compile(r'[^,"]*(?=,|$)')
_ESCAPED: Final = re.compile(r'\\(.)|"(")', re.DOTALL)


class BadRowError(Exception):
    """A line cannot be taken apart into cells."""

    def __init__(self, fault: Fault, value: str) -> None:
        super().__init__(fault.advice)
        self.fault = fault
        self.value = value


def split_row(line: bytes) -> list[str]:
    """Return the cells of a line, or raise BadRowError."""
    try:
        text = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        advice = f"byte {error.start + 1} of the line is not UTF-8"
        raise BadRowError(Fault("encoding", advice), line.decode(errors="replace").strip()) from error
    if "\x00" in text:
        raise BadRowError(Fault("encoding", "the line holds a zero byte"), text.replace("\x00", "\\0"))
    if text == "":
        raise BadRowError(Fault("columns", "the line is empty"), "")
    return _cells(text)


def _cells(text: str) -> list[str]:
    cells: list[str] = []
    position = 0
    while True:
        quoted = text.startswith('"', position)
        match = (_QUOTED if quoted else _BARE).match(text, position)
        if match is None:
            raise BadRowError(_quote_fault(text, position), text[position:])
        cells.append(_ESCAPED.sub(r"\1\2", match[1]) if quoted else match[0])
        position = match.end() + 1
        if position > len(text):
            return cells


def _quote_fault(text: str, position: int) -> Fault:
    rest = text[position:]
    if not rest.startswith('"'):
        return Fault("quotes", "a quote stands inside an unquoted value; quote the whole value")
    return Fault("quotes", "a quote is not closed on its line; every record stands on one line")
