"""Put what runs and resources come to on the stage's bus, and keep the parameters that applications read."""

from typing import Any, Final

from lambdas import wiring
from lambdas.notices.application_parameters import HANDED_OVER, ApplicationParameters
from lambdas.notices.run_outcome import SUCCEEDED, RunOutcome, read_outcome
from lambdas.notices.status_changes import RESOURCE_MACHINES, StatusChanges

personalize, events, stage = wiring.personalize(), wiring.event_bus(), wiring.stage()
changes = StatusChanges(stage, personalize, wiring.executions())
parameters = ApplicationParameters(personalize, wiring.parameters(), stage)

_MOST_LOOKS: Final = 3  # while something else changes the same resource


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Return how many events were put; `event` is Step Functions' "Execution Status Change".

    Each is put as often as the status event comes, which is once at least.
    """
    run = read_outcome(event, stage)
    change = changes.meaning(run)
    if change:
        events.put(change)
        wiring.count("TrainingHours", _training_hours(run))
    number = int(change is not None) + _hand_over(run)
    wiring.logger.info("published", extra={"execution": run.execution_arn, "status": run.status, "events": number})
    wiring.count("EventsPublished", number)
    return {"events": number}


def _training_hours(run: RunOutcome) -> float:
    """Return what a training is billed, as the service tells of the version that it made; else nothing."""
    described = run.output.get("resource")
    is_training = run.given.get("type") == "solution_version" and run.output.get("change") == "CREATED"
    return float(described.get("trainingHours") or 0) if is_training and isinstance(described, dict) else 0.0


def _hand_over(run: RunOutcome) -> int:
    """Write and remove parameters until they say what is there; return how many changed."""
    noun = run.given.get("type")
    if run.status != SUCCEEDED or run.machine not in RESOURCE_MACHINES or noun not in HANDED_OVER:
        return 0
    number = 0
    for _ in range(_MOST_LOOKS):
        found = parameters.changes(str(noun), run.output.get("arn"))
        for change in found:
            events.put(change)  # first: told twice is better than never
            parameters.apply(change)
        number += len(found)
        if not found:
            break
    return number
