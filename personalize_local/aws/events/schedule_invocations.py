"""Invoke a schedule's target once: what it gets, and what happens when it fails.

The roles of schedules are not enforced.
"""

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore import xform_name
from botocore.model import ListShape, Shape, StructureShape
from moto.scheduler.exceptions import ValidationException

from personalize_local.aws.events.targets import TARGETS, Attempts, to_states
from personalize_local.aws.stepfunctions.interpreter import shared_client
from personalize_local.aws.stepfunctions.service_tasks import BOTO_NAMES
from personalize_local.clock import CLOCK

if TYPE_CHECKING:
    from personalize_local.aws.events.scheduler import Scheduler

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
JSON_TARGETS = ("lambda", "states", "events")
MOST_RETRIES, SHORTEST_AGE_SECONDS, LONGEST_AGE_SECONDS = 185, 60, 86_400


@dataclass(kw_only=True)
class Invocation(Attempts):
    """One time at which a schedule was due, on its way to the target."""

    scheduler: "Scheduler"
    schedule: Any
    due: datetime
    delay_seconds: float
    execution_id: str

    @classmethod
    def of(cls, scheduler: "Scheduler", schedule: Any, due: datetime) -> Self:
        """Return the invocation of a schedule; a flexible one comes at any moment of its window."""
        window_seconds = 60 * schedule.flexible_time_window.get("MaximumWindowInMinutes", 0)
        delay_seconds = random.Random(f"{schedule.arn} {due}").uniform(0, window_seconds)
        return cls(
            schedule.target,
            CLOCK.time() + delay_seconds,
            scheduler=scheduler,
            schedule=schedule,
            due=due,
            delay_seconds=delay_seconds,
            # Ours: AWS documents no more than that it is unique. The same for the same time, so that one starts once.
            execution_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{schedule.arn} {schedule.creation_date} {due}")),
        )

    def send(self) -> None:
        """Call the target, unless the schedule has been deleted meanwhile."""
        if self.scheduler.has(self.schedule):
            call(self.target, self._text(), self.schedule.arn.split(":")[3], self.execution_id)
            self.scheduler.complete(self.schedule)

    def give_up(self, error: Exception, exhausted: str) -> None:
        """Keep the input in the dead-letter queue."""
        arn, scheduled = self.schedule.arn, _time(self.due)
        facts = {"SCHEDULE_ARN": arn, "SCHEDULED_TIME": scheduled, "EXECUTION_ID": self.execution_id}
        self.to_dead_letters(self._text(), error, exhausted, **facts, IS_PAYLOAD_TRUNCATED="false")
        self.scheduler.complete(self.schedule)

    def _text(self) -> str:
        text = str(self.target.get("Input") or self._default_input())
        attributes = {
            "<aws.scheduler.schedule-arn>": self.schedule.arn,
            "<aws.scheduler.scheduled-time>": _time(self.due),
            "<aws.scheduler.execution-id>": self.execution_id,
            "<aws.scheduler.attempt-number>": str(self.retries + 1),
        }
        for name, value in attributes.items():
            text = text.replace(name, value)
        return text

    def _default_input(self) -> str:
        region, account = self.schedule.arn.split(":")[3:5]
        event = {"version": "0", "id": self.execution_id, "detail-type": "Scheduled Event", "source": "aws.scheduler"}
        where = {"account": account, "time": _time(self.due), "region": region, "resources": [self.schedule.arn]}
        return json.dumps({**event, **where, "detail": "{}"})


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def call(target: dict[str, Any], text: str, region: str, execution_id: str) -> None:
    """Call a target with an input; an execution of a state machine is named after the invocation."""
    if target["Arn"].startswith(UNIVERSAL):
        _call_any(target["Arn"], json.loads(text), region)
    elif (service := target["Arn"].split(":")[2]) == "events":
        _put_event(target, text, region)
    elif service == "states":
        to_states(target, text, execution_id)
    else:
        TARGETS[service](target, text)


def _put_event(target: Mapping[str, Any], text: str, region: str) -> None:
    parameters = target["EventBridgeParameters"]
    entry = {"Source": parameters["Source"], "DetailType": parameters["DetailType"], "Detail": text}
    entry["EventBusName"] = target["Arn"].rpartition("/")[2]
    shared_client("events", region).put_events(Entries=[entry])


def _call_any(arn: str, parameters: Any, region: str) -> None:
    client, method = _method(arn, region)
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    getattr(client, method)(**_renamed(parameters, shape))


def _method(arn: str, region: str) -> tuple[Any, str]:
    service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
    service = BOTO_NAMES.get(service, service)
    if service not in boto3.session.Session().get_available_services():
        raise ValidationException(f"{arn} names no service of the AWS SDK.")
    client, method = shared_client(service, region), xform_name(action[:1].upper() + action[1:])
    if method not in client.meta.method_to_api_mapping:
        raise ValidationException(f"{arn} names no operation of {service}.")
    return client, method


def _renamed(value: Any, shape: Shape | None) -> Any:
    """Give members the names of the service's model: the SDK's spelling begins each with a capital letter."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        known = {names.get(name.lower(), name): inner for name, inner in value.items()}
        return {name: _renamed(inner, shape.members.get(str(name))) for name, inner in known.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_renamed(inner, shape.member) for inner in value]
    return value


def check_target(target: Mapping[str, Any]) -> None:
    """Refuse a target that the service would refuse, or that the local cloud cannot call."""
    arn = str(target.get("Arn", ""))
    if not arn.startswith("arn:") or not target.get("RoleArn"):
        raise ValidationException("A target has an Arn and a RoleArn.")
    service = arn.split(":")[2]
    if arn.startswith(UNIVERSAL):
        _method(arn, "us-east-1")
    elif service not in {*TARGETS, "events"}:
        offered = ", ".join(sorted({*TARGETS, "events"}))
        raise ValidationException(f"The local cloud calls targets of {offered} and {UNIVERSAL}…, not {arn}.")
    if service == "events" and not {"Source", "DetailType"} <= set(target.get("EventBridgeParameters", ())):
        raise ValidationException("A target that is an event bus has EventBridgeParameters.")
    if "Input" in target and (service in JSON_TARGETS or arn.startswith(UNIVERSAL)):
        _check_json(target["Input"])
    _check_retries(target.get("RetryPolicy", {}))


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise ValidationException(f"The Input of this target is JSON: {error}.") from error


def _check_retries(policy: Mapping[str, Any]) -> None:
    age_seconds, retries = policy.get("MaximumEventAgeInSeconds", 60), policy.get("MaximumRetryAttempts", 0)
    if not (0 <= retries <= MOST_RETRIES and SHORTEST_AGE_SECONDS <= age_seconds <= LONGEST_AGE_SECONDS):
        raise ValidationException(
            f"A RetryPolicy has 0 to {MOST_RETRIES} attempts within {SHORTEST_AGE_SECONDS} to {LONGEST_AGE_SECONDS} s."
        )
