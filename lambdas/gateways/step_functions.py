"""The gateway to Step Functions: starting executions under names that make a second start harmless."""

import hashlib
import json
from typing import Any, Final

_LONGEST_NAME: Final = 80  # the service's limit for the name of an execution


def execution_name(subject: str, cause: str) -> str:
    """Return a name that is the same for the same subject and cause, and legal whatever they contain."""
    digest = hashlib.sha256(f"{subject}\n{cause}".encode()).hexdigest()[:12]
    readable = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in f"{subject}-{cause}")
    return f"{readable[: _LONGEST_NAME - len(digest) - 1]}-{digest}"


class Executions:
    """Starts state machines and asks whether an execution still runs."""

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

    def _status(self, execution_arn: str) -> str | None:
        try:
            return str(self._client.describe_execution(executionArn=execution_arn)["status"])
        except self._client.exceptions.ExecutionDoesNotExist:
            return None


def _arn(machine_arn: str, name: str) -> str:
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
