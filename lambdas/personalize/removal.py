"""Take the step of a wait loop that deletes a resource, and say what keeps it from going."""

from collections.abc import Iterator
from typing import Any, Final

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, observe, phase_of
from lambdas.personalize.resource_steps import BUSY_WAIT_SECONDS, ResourceStepInput, between_tries, look_again
from lambdas.personalize.resources import QUICK, children

_MOST_NAMED: Final = 10  # dependants in an error


class NotDeletableError(ValueError):
    """Amazon Personalize has no operation that deletes this type of resource."""


class StillThereError(Exception):
    """The resource was not gone after all the time we had for it."""


class StillInUseError(Exception):
    """What depends on the resource will not go by itself."""


def delete(personalize: Personalize, step: ResourceStepInput) -> dict[str, Any]:
    """Ask for the resource's deletion; one that something is changing around means: look again.

    Raises NotDeletableError, StillInUseError naming what depends on it, and StillThereError with the service's first
    refusal.
    """
    row, arn = step.row, step.found["arn"]
    if not row.deletable:
        raise NotDeletableError(f"Amazon Personalize cannot delete a {row.noun}")
    if (step.now - step.run_began).total_seconds() > row.cadence.patience_seconds:
        raise StillThereError(f"{arn} is still there: {step.found.get('refusal') or step.found['status']}")
    if step.found.get("phase") == Phase.REPLACEABLE and not _is_replaceable(personalize, step):
        return look_again(step, "", seconds=1)
    try:
        personalize.delete(row, arn)
    except personalize.errors.ResourceInUseException as error:
        return _refused(personalize, step, str(error))
    except personalize.errors.ResourceNotFoundException as error:
        return {**look_again(step, str(error), seconds=1), "change": "DELETED"}
    return {**look_again(step, "", QUICK.typical_seconds), "change": "DELETED"}


def _is_replaceable(personalize: Personalize, step: ResourceStepInput) -> bool:
    """Look once more right before deleting: since the last look somebody may have made it anew, and it serves."""
    described = personalize.describe(step.row, step.found["arn"])
    return observe(step.row, step.desired, described, step.run_began).phase is Phase.REPLACEABLE


def _refused(personalize: Personalize, step: ResourceStepInput, refusal: str) -> dict[str, Any]:
    """Wait while dependants change or cannot be seen; raise when all that are seen will stay."""
    dependants = list(_dependants(personalize, step))
    if dependants and not any(changing for _, changing in dependants):
        named = ", ".join(name for name, _ in dependants[:_MOST_NAMED])
        more = f" and {len(dependants) - _MOST_NAMED} more" if len(dependants) > _MOST_NAMED else ""
        raise StillInUseError(f"{refusal} Still there: {named}{more}. Remove these first.")
    answer = look_again(step, refusal, between_tries(step.row, BUSY_WAIT_SECONDS))
    return {**answer, "refusal": step.found.get("refusal") or refusal}


def _dependants(personalize: Personalize, step: ResourceStepInput) -> Iterator[tuple[str, bool]]:
    """Yield what belongs to the resource, and whether it is on its way to somewhere else."""
    for row in children(step.row.noun):
        for summary in personalize.summaries(row, step.found["arn"]):
            name = summary.get(row.name_key) or summary[row.arn_key]
            yield f"{row.noun} {name} ({summary['status']})", phase_of(summary["status"]) is Phase.CHANGING
