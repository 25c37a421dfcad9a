"""Say why a run failed: the innermost error and its own words."""

from typing import Any

from lambdas import wiring
from lambdas.personalize.failures import explain


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Return ``{"error", "cause"}`` of what a run's state holds: what was caught, or the failures noted in it."""
    failure = explain(event)
    wiring.logger.error("run failed", extra={"failure": failure._asdict()})
    wiring.count("FailedRuns")
    return failure._asdict()
