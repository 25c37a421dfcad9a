"""Check definitions of state machines when a machine is made, as CreateStateMachine does.

moto checks the grammar only, so that a misspelt `Next` fails an execution, long after the deployment; and what it finds
has no error code.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from personalize_local.aws.corrections import Correction

_check_grammar = StepFunctionsParserBackend._validate_definition  # noqa: SLF001 - the method being corrected


class InvalidDefinition(AWSError):  # noqa: N818 - AWS's name
    """The definition is not a state machine."""

    TYPE = "InvalidDefinition"
    STATUS = 400


def validate_definition(definition: str) -> None:
    """Raise InvalidDefinition unless this is JSON, in the language, and every transition has a target."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        raise InvalidDefinition(f"Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: {error}'") from error
    try:
        _check_grammar(definition)
    except Exception as error:
        reason = getattr(error, "message", error)
        raise InvalidDefinition(f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {reason}'") from error
    if missing := ", ".join(missing_targets(machine)):
        raise InvalidDefinition(f"Invalid State Machine Definition: '{missing}'")


def missing_targets(machine: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield, in the service's words, every transition of a machine to a state that it does not have."""
    states = machine["States"]
    if machine["StartAt"] not in states:
        yield _missing("StartAt", machine["StartAt"], f"{path}/StartAt")
    for name, state in states.items():
        here = f"{path}/States/{name}"
        for member, target, where in _transitions(state, here):
            if target not in states:
                yield _missing(member, target, where)
        for inner, where in _inner_machines(state, here):
            yield from missing_targets(inner, where)


def _missing(member: str, target: str, where: str) -> str:
    return f"MISSING_TRANSITION_TARGET: Missing '{member}' target: {target} at {where}"


def _transitions(state: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    for member in ("Next", "Default"):
        if member in state:
            yield member, state[member], f"{path}/{member}"
    for member in ("Choices", "Catch"):
        for number, rule in enumerate(state.get(member, ())):
            yield "Next", rule["Next"], f"{path}/{member}[{number}]/Next"


def _inner_machines(state: Mapping[str, Any], path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    for number, branch in enumerate(state.get("Branches", ())):
        yield branch, f"{path}/Branches[{number}]"
    for member in ("ItemProcessor", "Iterator"):
        if member in state:
            yield state[member], f"{path}/{member}"


CORRECTIONS = (
    Correction(
        StepFunctionsParserBackend,
        "_validate_definition",
        staticmethod(validate_definition),
        "a transition to nowhere is found by the first execution",
    ),
)
