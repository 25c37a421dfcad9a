"""Look at one resource: the *Find* of the wait loop."""

from typing import Any

from lambdas import wiring
from lambdas.personalize.resource_steps import ResourceStepInput, find

personalize = wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the resource's phase, the service's reason and, while it changes, the seconds to wait."""
    step = ResourceStepInput.of(event)
    answer = find(personalize, step)
    known = {key: answer[key] for key in ("phase", "arn", "status", "reason", "wait_seconds")}
    wiring.logger.info("found", extra={"resource_type": step.row.noun, "resource": known})
    return answer
