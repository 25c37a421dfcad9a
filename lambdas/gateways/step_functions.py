"""Start executions of state machines under names that make a second start harmless."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from lambdas.names import digest, ending_in, legal

_LONGEST_NAME: Final = 80  # the service's limit for the name of an execution


def execution_name(subject: str, cause: str) -> str:
    """Return a name that is the same for the same subject and cause, and legal whatever they contain."""
    identity = digest(f"{subject}\n{cause}", 12)
    return ending_in(legal(f"{subject}-{cause}"), f"-{identity}", _LONGEST_NAME)


def own_input(execution_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an execution was started with, without what Step Functions adds for the one that started it."""
    return {key: value for key, value in execution_input.items() if not key.startswith("AWS_STEP_FUNCTIONS")}


class Executions(Protocol):
    """Executions of state machines, as the domain sees them: start one, ask after one."""

    def start(self, machine_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        """Start an execution; False when one of this name ended before. While it runs, starting it again is nothing."""

    def was_started(self, machine_arn: str, name: str) -> bool:
        """Say whether an execution of this name was started, as far back as the service remembers (90 days)."""

    def is_running(self, execution_arn: str) -> bool:
        """Say whether the execution is under way; one that the service has forgotten is not."""


class ExecutionInputs(Protocol):
    """What executions were started with."""

    def input_of(self, execution_arn: str) -> str | None:
        """Return what the execution was started with, as JSON; None when the service has forgotten it."""


class StepFunctions:
    """The executions in Step Functions, through a client of boto3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, machine_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        """Start an execution; False when one of this name ended before. While it runs, starting it again is nothing."""
        try:
            self._client.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(execution_input))
        except self._client.exceptions.ExecutionAlreadyExists:
            return self.is_running(_arn(machine_arn, name))
        return True

    def was_started(self, machine_arn: str, name: str) -> bool:
        """Say whether an execution of this name was started, as far back as the service remembers (90 days)."""
        return self._status(_arn(machine_arn, name)) is not None

    def is_running(self, execution_arn: str) -> bool:
        """Say whether the execution is under way; one that the service has forgotten is not."""
        return self._status(execution_arn) in {"RUNNING", "PENDING_REDRIVE"}

    def input_of(self, execution_arn: str) -> str | None:
        """Return what the execution was started with, as JSON; None when the service has forgotten it."""
        described = self._describe(execution_arn)
        return str(described["input"]) if described else None

    def _status(self, execution_arn: str) -> str | None:
        described = self._describe(execution_arn)
        return str(described["status"]) if described else None

    def _describe(self, execution_arn: str) -> Mapping[str, Any] | None:
        try:
            return dict(self._client.describe_execution(executionArn=execution_arn))
        except self._client.exceptions.ExecutionDoesNotExist:
            return None


def _arn(machine_arn: str, name: str) -> str:
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
