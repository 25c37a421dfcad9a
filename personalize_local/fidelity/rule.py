"""Define a rule that the documentation does not give."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineRule:
    """A rule of ours. `test` is the name of the test, or of the row in a test's table, that fails when it is broken."""

    area: str
    rule: str
    test: str
