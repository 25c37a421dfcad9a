"""Fire scheduled rules and schedules of EventBridge Scheduler in simulated time; moto only stores them.

A function takes real time while a schedule runs in simulated time, so that a sweep of a minute would find ten of its
kind behind it. A rule's target that is still at its last event is therefore passed over: a choice of ours.
"""

import threading
import uuid
from datetime import datetime
from functools import partial

from moto.events.models import Rule, events_backends

from personalize_local.aws import current_cloud
from personalize_local.aws.events.rules import Delivery
from personalize_local.aws.events.schedule_expressions import next_time
from personalize_local.aws.events.scheduler import fire_schedules
from personalize_local.clock import CLOCK

TICK_SECONDS = 0.02  # real; a rule that is due more often than this fires once per tick


class Ticker:
    """Looks at all scheduled rules and schedules, again and again, and fires those that are due."""

    def __init__(self, cloud: current_cloud.CurrentCloud) -> None:
        self._cloud = cloud
        self._due: dict[tuple[str, str], datetime | None] = {}
        self._busy: set[tuple[str, str]] = set()  # rules and the ids of their targets
        self._thread = threading.Thread(target=self._tick, name="schedules", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its thread, once the cloud is stopping."""
        self._thread.join(timeout=5)

    def _tick(self) -> None:
        while not self._cloud.stopping.wait(TICK_SECONDS):
            now = CLOCK.now()
            for backend in list(events_backends[current_cloud.ACCOUNT_ID].values()):
                for rule in list(backend.event_buses["default"].rules.values()):
                    if rule.scheduled_expression and rule.state == "ENABLED":
                        self._fire_if_due(rule, now)
            fire_schedules(now)

    def _fire_if_due(self, rule: Rule, now: datetime) -> None:
        key = (rule.arn, str(rule.scheduled_expression))
        if key not in self._due:
            self._due[key] = next_time(key[1], now)
        due = self._due[key]
        if due is not None and due <= now:
            self._due[key] = next_time(key[1], now)
            self._fire(rule, scheduled_event(rule, due))

    def _fire(self, rule: Rule, event: dict[str, object]) -> None:
        for target in rule.targets:
            rule_target = (rule.arn, str(target["Id"]))
            if rule_target not in self._busy:
                self._busy.add(rule_target)
                delivery = Delivery(target, CLOCK.time(), rule=rule, event=event)
                self._cloud.task_scheduler.add(partial(self._attempt, delivery, rule_target))

    def _attempt(self, delivery: Delivery, rule_target: tuple[str, str]) -> None:
        try:
            delivery.attempt()
        finally:
            self._busy.discard(rule_target)


def scheduled_event(rule: Rule, due: datetime) -> dict[str, object]:
    """Return the event of a scheduled rule, as documented."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account_id,
        "time": due.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": rule.region_name,
        "resources": [rule.arn],
        "detail": {},
    }
