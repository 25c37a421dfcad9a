"""Put together what a pipeline's run did, beginning with one line for a person."""

from typing import Any

from lambdas import wiring
from lambdas.releases.run_summary import run_summary


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the run's output: `event` as it is, behind a `summary` of less than 500 bytes.

    `event` is ``{"datasetGroup", "run", "holder", "notInRequest", "data", "solutions"}``.
    """
    summary = run_summary(event["data"], event["solutions"], event["notInRequest"])
    wiring.logger.info("done", extra={"dataset_group": event["datasetGroup"], "summary": summary})
    wiring.count("RunsDone")
    return {"summary": summary, **event}
