"""Bring a dataset group's schedules to what its request says."""

from typing import Any

from lambdas import wiring
from lambdas.groups.schedule_changes import apply

schedules = wiring.schedules()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the names of ``{"created", "updated", "deleted", "unchanged"}`` schedules.

    `event` is ``{"datasetGroup", "schedules"}``, the latter as the plan of `import_data` has them.
    """
    done = apply(schedules, event["datasetGroup"], event["schedules"])
    wiring.logger.info("scheduled", extra={"dataset_group": event["datasetGroup"], "schedules": done})
    return done
