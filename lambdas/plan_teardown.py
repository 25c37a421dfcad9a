"""Say what a teardown removes, in which order; before a real one, hold everything back that could build it again."""

from datetime import datetime
from typing import Any, Final

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of
from lambdas.gateways.step_functions import own_input
from lambdas.groups.teardown import Removal, TeardownPlanner, refuse_what_is_not_ours

personalize, leases, owner = wiring.personalize(), wiring.leases(), wiring.owner_tag()

_KEYS: Final = frozenset({"datasetGroup", "type", "request", "dryRun", "alsoNotOurs", "alsoRecords", "alsoFiles"})


class InvalidTeardownError(ValueError):
    """The input does not say what is to be removed."""


class RunUnderWayError(Exception):
    """A run of the group is under way: what it makes would be in the way, or be lost."""


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the levels of a teardown and its options.

    `event` is ``{"execution", "now", "input"}``; the input has ``datasetGroup``, or ``type`` and ``request`` of one
    resource; ``dryRun`` (true unless it is said to be false), ``alsoNotOurs``, ``alsoRecords``, ``alsoFiles``.
    """
    given = own_input(event["input"])
    _check(given)
    planner = TeardownPlanner(personalize, owner)
    group, is_dry = given.get("datasetGroup", ""), given.get("dryRun", True)
    if group:
        if not is_dry:
            _hold(group, event["execution"])
        levels = planner.group(group)
    else:
        levels = planner.resource(given["type"], given["request"], datetime.fromisoformat(event["now"]))
    if not is_dry and not given.get("alsoNotOurs", False):
        refuse_what_is_not_ours(levels)
    return _plan(given, levels)


def _plan(given: dict[str, Any], levels: list[list[Removal]]) -> dict[str, Any]:
    count = sum(map(len, levels))
    wiring.logger.info("planned teardown", extra={"resources": count})
    return {
        "datasetGroup": given.get("datasetGroup", ""),
        "dryRun": given.get("dryRun", True),
        "records": given.get("alsoRecords", False),
        "files": given.get("alsoFiles", False),
        "levels": [[one.told() for one in level] for level in levels],
        "count": count,
        "notOurs": [f"{one.noun} {one.name}" for level in levels for one in level if not one.ours],
    }


def _check(given: dict[str, Any]) -> None:
    if unknown := sorted(set(given) - _KEYS):
        raise InvalidTeardownError(f"unknown key {', '.join(unknown)}; allowed: {', '.join(sorted(_KEYS))}")
    of_group, of_resource = "datasetGroup" in given, "type" in given and "request" in given
    if of_group == of_resource:
        raise InvalidTeardownError("give datasetGroup, or the type and the request of one resource")
    flags = ("dryRun", "alsoNotOurs", "alsoRecords", "alsoFiles")
    if wrong := [key for key in flags if not isinstance(given.get(key, False), bool)]:
        raise InvalidTeardownError(f"{', '.join(wrong)} is true or false")
    if not of_group and (given.get("alsoRecords") or given.get("alsoFiles")):
        raise InvalidTeardownError("records and files belong to a dataset group: give datasetGroup")


def _hold(group: str, execution: str) -> None:
    """Take the lease of the group's runs: what would start one while this execution goes on does nothing."""
    holder = leases.take(dataset_key_of(group, "pipeline"), execution).holder
    if holder != execution:
        raise RunUnderWayError(f"{holder} is under way for {group}: wait for its end, or stop it, and start again")
