"""Find what events and executions have dropped, and trainings that were put off: started by a schedule."""

from datetime import datetime, timedelta
from typing import Any

from lambdas import wiring
from lambdas.uploads.sweep import SweepIncompleteError

sweeper, retraining, personalize = wiring.sweeper(), wiring.retraining(), wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what was found. `event` is the schedule's own, or any with a `time`."""
    now = datetime.fromisoformat(event["time"])
    swept = sweeper.sweep(now, personalize)
    retrained, undecided = retraining.take_up(event["time"]) if swept.ran else ([], [])
    troubles = [*swept.troubles, *undecided]
    found = {"ran": swept.ran, "unannounced": len(swept.unannounced), "woken": swept.woken, "retrained": retrained}
    wiring.logger.info("swept", extra={"found": found})
    wiring.count("UnannouncedUploads", len(swept.unannounced))
    wiring.count("Retrains", len(retrained))
    _count_waiting(now)
    if troubles:  # at the end, so that they keep nothing else from being done
        raise SweepIncompleteError(troubles)
    return {**swept.model_dump(mode="json"), "retrained": retrained}


def _count_waiting(now: datetime) -> None:
    waiting = sweeper.waiting()
    wiring.count("FilesWaiting", waiting.files)
    wiring.count("RowsWaiting", waiting.rows)
    wiring.count("LongestWaitHours", int(waiting.longest(now) / timedelta(hours=1)))
