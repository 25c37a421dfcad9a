"""EventBridge rules: which events reach which targets, in what shape, and what happens when a target fails.

moto sends events to disabled rules and to rules that only have a schedule, knows no Lambda functions and no state
machines as targets, ignores input paths, and neither retries nor uses a dead-letter queue.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.events.models import Rule
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends
from moto.stepfunctions.exceptions import StateMachineDoesNotExist
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from emulator.aws import runtime
from emulator.aws.corrections import Correction
from emulator.aws.target_input import render
from emulator.clock import CLOCK

logger = logging.getLogger(__name__)
Event = dict[str, Any]
MAX_ATTEMPTS = 185  # EventBridge's defaults
MAX_AGE_SECONDS = 86_400
LONGEST_BACKOFF_SECONDS = 300
GONE = (QueueDoesNotExist, StateMachineDoesNotExist, UnknownFunctionException)  # never tried again


def to_sqs(target: dict[str, Any], text: str) -> None:
    """Send the input to a queue."""
    region, account, name = target["Arn"].split(":")[3:6]
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    sqs_backends[account][region].send_message(name, text, group_id=group)


def to_lambda(target: dict[str, Any], text: str) -> None:
    """Invoke a function asynchronously and stay until it is done; once it has the event, failing is its business."""
    region, account = target["Arn"].split(":")[3:5]
    function: Any = lambda_backends[account][region].get_function(target["Arn"])
    try:
        function.run_async(text)
    except Exception:
        if not runtime.current().stopping.is_set():
            logger.exception("an asynchronous invocation of %s failed", target["Arn"])


def to_states(target: dict[str, Any], text: str) -> None:
    """Start an execution."""
    region, account = target["Arn"].split(":")[3:5]
    backend: Any = stepfunctions_parser_backends[account][region]
    backend.start_execution(target["Arn"], None, text)


TARGETS: dict[str, Callable[[dict[str, Any], str], None]] = {"lambda": to_lambda, "sqs": to_sqs, "states": to_states}


@dataclass
class Delivery:
    """One event on its way to one target of a rule."""

    rule: Rule
    target: dict[str, Any]
    event: Event
    since: float
    retries: int = 0

    def attempt(self) -> None:
        """Deliver now; after a failure try again later, or give up."""
        try:
            text = render(self.target, self.event, self.rule.name, self.rule.arn)
            TARGETS[self.target["Arn"].split(":")[2]](self.target, text)
        except GONE as error:
            self._give_up(error, "")
        except Exception as error:  # noqa: BLE001 - whatever went wrong at the target is retried
            self._try_again(error)

    def _try_again(self, error: Exception) -> None:
        policy = self.target.get("RetryPolicy", {})
        wait_seconds = min(2**self.retries, LONGEST_BACKOFF_SECONDS)
        if self.retries >= int(policy.get("MaximumRetryAttempts", MAX_ATTEMPTS)):
            self._give_up(error, "MaximumRetryAttempts")
        elif CLOCK.time() + wait_seconds - self.since > int(policy.get("MaximumEventAgeInSeconds", MAX_AGE_SECONDS)):
            self._give_up(error, "MaximumEventAgeInSeconds")
        else:
            self.retries += 1
            runtime.current().agenda.add(self.attempt, wait_seconds)

    def _give_up(self, error: Exception, exhausted: str) -> None:
        queue_arn = self.target.get("DeadLetterConfig", {}).get("Arn")
        logger.warning("rule %s: %s did not take an event: %s", self.rule.name, self.target["Arn"], error)
        if queue_arn is None:
            return
        facts = {
            "RULE_ARN": self.rule.arn,
            "TARGET_ARN": self.target["Arn"],
            "ERROR_CODE": getattr(error, "error_type", None) or getattr(error, "code", None) or type(error).__name__,
            "ERROR_MESSAGE": str(getattr(error, "message", None) or error),
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "RETRY_ATTEMPTS": str(self.retries),
        }
        attributes = {
            name: {"DataType": "String", "StringValue": str(fact)} for name, fact in facts.items() if fact != ""
        }
        region, account, name = queue_arn.split(":")[3:6]
        sqs_backends[account][region].send_message(name, json.dumps(self.event), message_attributes=attributes)


def send_to_targets(rule: Rule, original_event: Event, transform_input: bool = True) -> None:  # noqa: ARG001 - moto's signature
    """Send an event to the targets of a rule that wants it."""
    if rule.state != "ENABLED" or not rule.event_pattern.get_pattern():
        return
    event = {name: value for name, value in original_event.items() if name != "ingestion-time"}
    if isinstance(event["time"], int | float):
        event["time"] = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if rule.event_pattern.matches_event(event):  # type: ignore[arg-type]
        deliver(rule, event)


def deliver(rule: Rule, event: Event) -> None:
    """Send an event to all targets of a rule, in the background."""
    for target in rule.targets:
        runtime.current().agenda.add(Delivery(rule, target, event, CLOCK.time()).attempt)


CORRECTIONS = (
    Correction(Rule, "send_to_targets", send_to_targets, "it knows neither states nor lambda, and ignores the state"),
)
