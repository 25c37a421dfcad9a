"""Deliver events to the targets of EventBridge rules: which, in what shape, and what happens when a target fails.

moto sends events to disabled rules and to rules that only have a schedule, knows no Lambda functions and no state
machines as targets, ignores input paths, and neither retries nor uses a dead-letter queue.
"""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.events.models import Rule, events_backends

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.events.target_input import render
from personalize_local.aws.events.targets import TARGETS, Attempts
from personalize_local.clock import CLOCK

logger = logging.getLogger(__name__)
Event = dict[str, Any]


@dataclass(kw_only=True)
class Delivery(Attempts):
    """One event on its way to one target of a rule."""

    rule: Rule
    event: Event

    def send(self) -> None:
        """Send the event, in the shape the target asks for."""
        text = render(self.target, self.event, self.rule.name, self.rule.arn)
        TARGETS[self.target["Arn"].split(":")[2]](self.target, text)

    def give_up(self, error: Exception, exhausted: str) -> None:
        """Keep the event in the dead-letter queue."""
        self.to_dead_letters(json.dumps(self.event), error, exhausted, RULE_ARN=self.rule.arn)


def send_to_targets(rule: Rule, original_event: Event, transform_input: bool = True) -> None:  # noqa: ARG001 - moto's signature
    """Send an event to the targets of a rule that wants it."""
    if rule.state != "ENABLED" or not rule.event_pattern.get_pattern():
        return
    event = {name: value for name, value in original_event.items() if name != "ingestion-time"}
    if isinstance(event["time"], int | float):
        event["time"] = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if rule.event_pattern.matches_event(event):  # type: ignore[arg-type]
        deliver(rule, event)


def send_to_default_bus(account_id: str, region_name: str, event: Event) -> None:
    """Offer an event of an AWS service to every rule of the default bus; one that cannot be matched harms no other."""
    for rule in list(events_backends[account_id][region_name].event_buses["default"].rules.values()):
        try:
            send_to_targets(rule, event)
        except Exception:
            logger.exception(
                "the pattern of rule %s could not be compared with an event of %s", rule.name, event["source"]
            )


def deliver(rule: Rule, event: Event) -> None:
    """Send an event to all targets of a rule, in the background."""
    for target in rule.targets:
        current_cloud.current().task_scheduler.add(Delivery(target, CLOCK.time(), rule=rule, event=event).attempt)


CORRECTIONS = (
    Correction(Rule, "send_to_targets", send_to_targets, "it knows neither states nor lambda, and ignores the state"),
)
