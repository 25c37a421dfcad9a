"""Define a rule that the documentation does not give."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineRule:
    """A rule of ours, or one that `source` backs; the test, or the row in a test's table, fails when it is broken."""

    area: str
    rule: str
    test: str
    standing: str = "our choice"
    source: str = ""
