"""Find what events and executions have dropped: started by a schedule."""

from datetime import datetime
from typing import Any

from lambdas import wiring
from lambdas.uploads.sweep import Sweeper

sweeper = Sweeper(
    wiring.ledger(),
    wiring.leases(),
    wiring.objects(),
    wiring.recorder(),
    wiring.import_starter(),
    wiring.personalize(),
)

retraining = wiring.retraining()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what was found. `event` is the schedule's own, or any with a `time`."""
    swept = sweeper.sweep(datetime.fromisoformat(event["time"]))
    retrained = retraining.take_up(event["time"])
    found = {"unannounced": len(swept.unannounced), "woken": swept.woken, "retrained": retrained}
    wiring.logger.info("swept", extra={"found": found})
    wiring.count("UnannouncedUploads", len(swept.unannounced))
    wiring.count("Retrains", len(retrained))
    return {**swept.model_dump(mode="json"), "retrained": retrained}
