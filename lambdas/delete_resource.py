"""Ask Amazon Personalize to delete one resource; the state machine does the waiting."""

from typing import Any

from lambdas import wiring
from lambdas.personalize.removal import delete
from lambdas.personalize.resource_steps import ResourceStepInput

personalize = wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what is known of the resource once the service has accepted, or why to look again later."""
    step = ResourceStepInput.of(event)
    answer = delete(personalize, step)
    known = {key: answer[key] for key in ("arn", "reason", "wait_seconds")}
    wiring.logger.info("delete requested", extra={"resource_type": step.row.noun, "resource": known})
    return answer
