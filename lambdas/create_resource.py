"""Ask Amazon Personalize to create one resource; the state machine does the waiting."""

from typing import Any

from lambdas import wiring
from lambdas.personalize.resource_steps import ResourceStepInput, create, owned

personalize, owner = wiring.personalize(), wiring.owner_tag()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return what is known of the resource once the service has accepted, or why to look again later."""
    step = ResourceStepInput.of(event)
    answer = create(personalize, owned(step, owner))
    known = {key: answer[key] for key in ("arn", "reason", "wait_seconds")}
    wiring.logger.info("create requested", extra={"resource_type": step.row.noun, "resource": known})
    return answer
