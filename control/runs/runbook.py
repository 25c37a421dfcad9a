"""Find what the runbook says about an error: the rows of its table *A run is red*."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUNBOOK: Final = Path(__file__).parents[2] / "docs" / "runbook.md"
_HEADING: Final = "## A run is red"


@dataclass(frozen=True)
class RunbookRow:
    """What an error means and what to do; its cause says one of `phrases`, where that tells errors apart."""

    errors: tuple[str, ...]
    phrases: tuple[str, ...]
    means: str
    advice: str

    def fits(self, error: str, cause: str) -> bool:
        """Say whether the row is about this error."""
        said = not self.phrases or any(_pattern(phrase).search(cause) for phrase in self.phrases)
        return error in self.errors and said


def rows() -> Iterator[RunbookRow]:
    """Yield the rows, as the document has them."""
    text = RUNBOOK.read_text(encoding="utf-8").partition(_HEADING)[2]
    for line in text.splitlines():
        if line.startswith("## "):
            return
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:  # noqa: PLR2004 - error, means, do
            errors = tuple(re.findall(r"`([^`]+)`", cells[0].split("*")[0]))
            yield RunbookRow(errors, tuple(re.findall(r"\*([^*]+)\*", cells[0])), cells[1], cells[2])


def find(error: str, cause: str) -> RunbookRow | None:
    """Return the row that says most about an error, or None."""
    fitting = [row for row in rows() if row.fits(error, cause)]
    return max(fitting, key=lambda row: len(row.phrases), default=None)


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, phrase.split("…"))), re.DOTALL)
