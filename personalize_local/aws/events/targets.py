"""Send a text to the target of a rule or of a schedule, and try again when that fails."""

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.sns.exceptions import SNSNotFoundError
from moto.sns.models import sns_backends
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends
from moto.stepfunctions.exceptions import ExecutionAlreadyExists, StateMachineDoesNotExist
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from personalize_local.aws import current_cloud
from personalize_local.clock import CLOCK

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 185  # the defaults of EventBridge and of EventBridge Scheduler
MAX_AGE_SECONDS = 86_400
LONGEST_BACKOFF_SECONDS = 300
GONE = (QueueDoesNotExist, SNSNotFoundError, StateMachineDoesNotExist, UnknownFunctionException)  # never tried again


def to_sqs(target: dict[str, Any], text: str) -> None:
    """Send the input to a queue."""
    region, account, name = target["Arn"].split(":")[3:6]
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    sqs_backends[account][region].send_message(name, text, group_id=group)


def to_sns(target: dict[str, Any], text: str) -> None:
    """Publish the input to a topic."""
    region, account = target["Arn"].split(":")[3:5]
    sns_backends[account][region].publish(text, arn=target["Arn"])


def to_lambda(target: dict[str, Any], text: str) -> None:
    """Invoke a function asynchronously and stay until it is done; once it has the event, failing is its business."""
    region, account = target["Arn"].split(":")[3:5]
    function: Any = lambda_backends[account][region].get_function(target["Arn"])
    try:
        function.run_async(text)
    except Exception:
        if not current_cloud.current().stopping.is_set():
            logger.exception("an asynchronous invocation of %s failed", target["Arn"])


def to_states(target: dict[str, Any], text: str, name: str | None = None) -> None:
    """Start an execution; one of that name that was started already is enough."""
    region, account = target["Arn"].split(":")[3:5]
    backend: Any = stepfunctions_parser_backends[account][region]
    with contextlib.suppress(ExecutionAlreadyExists):
        backend.start_execution(target["Arn"], name, text)


TARGETS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "lambda": to_lambda,
    "sns": to_sns,
    "sqs": to_sqs,
    "states": to_states,
}


@dataclass
class Attempts(ABC):
    """The tries to bring one thing to one target."""

    target: dict[str, Any]
    since: float
    retries: int = 0

    def attempt(self) -> None:
        """Send now; after a failure try again later, or give up."""
        try:
            self.send()
        except GONE as error:
            self.give_up(error, "")
        except Exception as error:  # noqa: BLE001 - whatever went wrong at the target is retried
            if _is_missing(error):
                self.give_up(error, "")
            else:
                self._try_again(error)

    @abstractmethod
    def send(self) -> None:
        """Send once; whatever is raised is a failure of the target."""

    @abstractmethod
    def give_up(self, error: Exception, exhausted: str) -> None:
        """Say that there will be no more attempts, and keep what was to be sent if there is a place for it."""

    def _try_again(self, error: Exception) -> None:
        policy = self.target.get("RetryPolicy", {})
        wait_seconds = min(2**self.retries, LONGEST_BACKOFF_SECONDS)
        if self.retries >= int(policy.get("MaximumRetryAttempts", MAX_ATTEMPTS)):
            self.give_up(error, "MaximumRetryAttempts")
        elif CLOCK.time() + wait_seconds - self.since > int(policy.get("MaximumEventAgeInSeconds", MAX_AGE_SECONDS)):
            self.give_up(error, "MaximumEventAgeInSeconds")
        else:
            self.retries += 1
            current_cloud.current().task_scheduler.add(self.attempt, wait_seconds)

    def to_dead_letters(self, text: str, error: Exception, exhausted: str, **facts: str) -> None:
        """Send what could not be delivered to the target's dead-letter queue, if it has one."""
        logger.warning("%s did not take what was sent to it: %s", self.target["Arn"], error)
        queue_arn = self.target.get("DeadLetterConfig", {}).get("Arn")
        if queue_arn is None:
            return
        facts |= {
            "TARGET_ARN": self.target["Arn"],
            "ERROR_CODE": error_code(error),
            "ERROR_MESSAGE": str(getattr(error, "message", None) or error),
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "RETRY_ATTEMPTS": str(self.retries),
        }
        attributes = {name: {"DataType": "String", "StringValue": fact} for name, fact in facts.items() if fact != ""}
        region, account, name = queue_arn.split(":")[3:6]
        sqs_backends[account][region].send_message(name, text, message_attributes=attributes)


def error_code(error: Exception) -> str:
    """Return the service's code of an error, or the name of its class."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return str(getattr(error, "error_type", None) or getattr(error, "code", None) or type(error).__name__)


def _is_missing(error: Exception) -> bool:
    return isinstance(error, ClientError) and any(word in error_code(error) for word in ("DoesNotExist", "NotFound"))
