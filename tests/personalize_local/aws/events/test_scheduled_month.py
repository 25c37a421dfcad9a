"""A month of schedules, over the change to summer time, on a clock that the test sets."""

import gc
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from moto.scheduler.models import scheduler_backends

from lambdas.gateways.event_schedules import StageSchedules
from lambdas.groups.schedule_changes import apply
from lambdas.requests.plan import Planner
from lambdas.requests.request_reading import parse_request
from lambdas.requests.schedules.planned_schedules import planned_schedules
from personalize_local.aws import current_cloud
from personalize_local.aws.events.schedule_invocations import Invocation
from personalize_local.aws.events.scheduler import fire_schedules
from personalize_local.aws.stepfunctions.executions import LocalStepFunctions
from personalize_local.aws.task_scheduler import THREADS
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.lambdas.requests.test_plan import ACCOUNT, EXAMPLE
from tests.personalize_local.aws.conftest import ROLE

BERLIN: Final = ZoneInfo("Europe/Berlin")
BEGINNING: Final = datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
END: Final = BEGINNING + timedelta(days=31)
STEP: Final = timedelta(minutes=7)
ACCOUNT_ID: Final = "123456789012"
DEAD: Final = f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:dead"
PASS: Final = '{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}'
NIGHTLY = {
    "name": "nightly",
    "scheduleExpression": "cron(0 3 * * ? *)",
    "scheduleExpressionTimezone": "Europe/Berlin",
    "action": "TRAIN",
}
HOURLY = {"name": "hourly", "scheduleExpression": "rate(1 hour)", "action": "IMPORT"}
INPUT: Final = '{"due": "<aws.scheduler.scheduled-time>", "schedule": "once"}'


class Month:
    """The Scheduler, and machines for it to start, from `BEGINNING` on."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.now = BEGINNING
        states, self.client = cloud.client("stepfunctions"), cloud.client("scheduler")
        self.arns = {
            name: states.create_state_machine(name=name, definition=PASS, roleArn=ROLE)["stateMachineArn"]
            for name in ("import_data", "pipeline")
        }

    def schedule(self) -> None:
        """Make what the request and one `at` say, as of the beginning of the month."""
        self.client.create_schedule_group(Name="stage")
        schedules = StageSchedules(self.client, "stage", ROLE, DEAD, self.arns)
        request = parse_request({**EXAMPLE, "schedules": [NIGHTLY, HOURLY]})
        made = apply(schedules, request.dataset_group.name, planned_schedules(Planner(request, "run", ACCOUNT)))
        assert len(made["created"]) == 2
        self.client.create_schedule(
            Name="once",
            GroupName="stage",
            ScheduleExpression="at(2026-03-29T12:00:00)",
            ScheduleExpressionTimezone="Europe/Berlin",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={"Arn": self.arns["pipeline"], "RoleArn": ROLE, "Input": INPUT},
        )

    def go_to(self, end: datetime) -> None:
        """Let the time pass in steps, and everything that is due be done."""
        while self.now < end:
            self.now = min(self.now + STEP, end)
            self.fire()

    def fire(self) -> None:
        """Do what is due now."""
        fire_schedules(self.now)
        deadline = time.monotonic() + 60
        while current_cloud.current().task_scheduler.pending:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def simulated_seconds(self) -> float:
        """Return the time as the clock tells it."""
        return self.now.timestamp()

    @property
    def backend(self) -> Any:
        return scheduler_backends[ACCOUNT_ID]["us-east-1"]

    def state_bytes(self) -> int:
        """Return how much is kept of the schedules."""
        return len(pickle.dumps([vars(one) for one in self.backend.schedule_groups["stage"].schedules.values()]))


@pytest.fixture
def month(monkeypatch: pytest.MonkeyPatch) -> Iterator[Month]:
    with Cloud(schedules=False) as cloud:
        made = Month(cloud)
        monkeypatch.setattr(CLOCK, "time", made.simulated_seconds)
        yield made


def record_starts(month: Month, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[datetime]]:
    """Note when executions are started and under which name, in place of running 776 of them."""
    names: set[str] = set()
    started: dict[str, list[datetime]] = {"import_data": [], "pipeline": []}

    def start(_: Any, arn: str, name: str, text: str) -> None:
        assert name not in names, text
        names.add(name)
        started[arn.rpartition(":")[2]].append(month.now)

    monkeypatch.setattr(LocalStepFunctions, "start_execution", start)
    return started


def test_each_due_time_of_a_month_is_fired_once_and_nothing_is_kept_of_it(
    month: Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = record_starts(month, monkeypatch)
    month.schedule()
    month.go_to(BEGINNING + timedelta(days=1))
    after_a_day = month.state_bytes()
    month.go_to(datetime(2026, 3, 29, 9, 59, tzinfo=UTC))
    assert len(month.client.list_schedules(GroupName="stage")["Schedules"]) == 3
    month.go_to(END)

    nights = [moment.astimezone(BERLIN) for moment in started["pipeline"]]
    days = Counter(moment.date() for moment in nights)
    once = datetime(2026, 3, 29, 12, 0, tzinfo=BERLIN)
    assert sum(timedelta() <= moment - once < STEP for moment in started["pipeline"]) == 1
    assert set(days) == {(BEGINNING + timedelta(days=number)).date() for number in range(31)}
    assert [day for day, count in days.items() if count != 1] == [once.date()]
    assert days[once.date()] == 2, "the night's and the one at noon"
    assert all(moment.hour == 3 for moment in nights if not timedelta() <= moment - once < STEP)
    hours = Counter((moment - BEGINNING) // timedelta(hours=1) for moment in started["import_data"])
    assert hours == dict.fromkeys(range(31 * 24 + 1), 1)

    assert len(month.client.list_schedules(GroupName="stage")["Schedules"]) == 2
    assert month.state_bytes() < after_a_day
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, Invocation)]
    assert len(kept) <= THREADS, "a thread may hold the last that it saw to"


def test_a_time_that_is_fired_twice_starts_one_execution(month: Month) -> None:
    month.schedule()
    (schedule,) = (one for one in month.backend.schedule_groups["stage"].schedules.values() if "nightly" in one.name)
    due = schedule.next_due
    assert due.astimezone(BERLIN).hour == 3
    states = month.cloud.client("stepfunctions")
    for _ in range(2):
        schedule.next_due = due  # as if the state of before the firing had been taken up again
        month.now = due
        month.fire()
        (execution,) = states.list_executions(stateMachineArn=month.arns["pipeline"])["executions"]
    month.now += timedelta(days=1)
    month.fire()
    found = states.list_executions(stateMachineArn=month.arns["pipeline"])["executions"]
    assert len({one["name"] for one in found}) == 2
    assert execution["name"] in {one["name"] for one in found}
