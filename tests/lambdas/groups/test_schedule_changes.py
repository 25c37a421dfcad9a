"""A group's schedules become what the request says, in EventBridge Scheduler as the local cloud has it."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.gateways.event_schedules import StageSchedules
from lambdas.groups.schedule_changes import apply, schedule_changes
from lambdas.requests.schedules.planned_schedules import PlannedSchedule, names_begin_with
from personalize_local.cloud import Cloud

ROLE = "arn:aws:iam::123456789012:role/scheduler"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:import-data"
DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"
WRITES = ("create_schedule", "update_schedule", "delete_schedule")


class CountingClient:
    """A client that remembers which calls changed something."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.writes: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self.writes.append(name)
        return getattr(self._client, name)


@pytest.fixture(scope="module")
def clients() -> Iterator[Any]:
    with Cloud() as cloud:
        client = cloud.client("scheduler")
        for stage in ("one", "two"):
            client.create_schedule_group(Name=stage)
        yield client


@pytest.fixture
def client(clients: Any) -> CountingClient:
    for listed in clients.list_schedules()["Schedules"]:
        clients.delete_schedule(GroupName=listed["GroupName"], Name=listed["Name"])
    return CountingClient(clients)


def stage(client: Any, name: str = "one") -> StageSchedules:
    return StageSchedules(client, name, ROLE, DEAD, {"import_data": MACHINE})


def named(client: Any, group: str) -> list[str]:
    return [one["Name"] for one in client.list_schedules(GroupName=group)["Schedules"]]


def planned(group: str, *names: str, expression: str = "rate(1 day)") -> list[PlannedSchedule]:
    return [
        {
            "name": f"{names_begin_with(group)}{name}",
            "action": "IMPORT",
            "expression": expression,
            "timezone": "Europe/Berlin",
            "machine": "import_data",
            "input": {"datasetGroup": group, "schedule": name},
        }
        for name in names
    ]


def test_they_come_change_and_go_and_unchanged_ones_are_not_written(client: CountingClient) -> None:
    schedules = stage(client)
    assert len(apply(schedules, "shop", planned("shop", "a", "b"))["created"]) == 2
    assert client.writes == ["create_schedule"] * 2
    again = apply(schedules, "shop", planned("shop", "a", "b"))
    assert (len(again["unchanged"]), len(client.writes)) == (2, 2)
    assert len(apply(schedules, "shop", planned("shop", "a", "b", expression="rate(2 days)"))["updated"]) == 2
    done = apply(schedules, "shop", planned("shop", "b", expression="rate(2 days)"))
    assert done["deleted"] == [f"{names_begin_with('shop')}a"]
    assert apply(schedules, "shop", [])["deleted"] == [f"{names_begin_with('shop')}b"]
    assert named(client, "one") == []


def test_what_would_change_is_told_without_a_write(client: CountingClient) -> None:
    schedules = stage(client)
    apply(schedules, "plan", planned("plan", "a", "gone"))
    before = list(client.writes)
    wanted = [*planned("plan", "a", expression="rate(2 days)"), *planned("plan", "new")]
    assert [change.verb for change in schedule_changes(schedules, "plan", wanted)] == ["update", "create", "delete"]
    assert client.writes == before


def test_two_groups_and_two_stages_do_not_meet(client: CountingClient) -> None:
    one, two = stage(client, "one"), stage(client, "two")
    for schedules in (one, two):
        apply(schedules, "left", planned("left", "a"))
        apply(schedules, "leftover", planned("leftover", "a"))
    apply(one, "left", [])
    assert named(client, "one") == [f"{names_begin_with('leftover')}a"]
    assert len(named(client, "two")) == 2


def test_somebodys_pause_lasts_while_the_schedule_changes(client: CountingClient) -> None:
    schedules = stage(client)
    (wanted,) = planned("paused", "a")
    apply(schedules, "paused", [wanted])
    described = client.get_schedule(GroupName="one", Name=wanted["name"])
    settings = {key: described[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")}
    zone = described["ScheduleExpressionTimezone"]
    paused = {**settings, "State": "DISABLED", "ScheduleExpressionTimezone": zone}
    client.update_schedule(GroupName="one", Name=wanted["name"], **paused)
    assert apply(schedules, "paused", [wanted])["unchanged"]
    assert apply(schedules, "paused", [{**wanted, "expression": "rate(3 days)"}])["updated"]
    assert client.get_schedule(GroupName="one", Name=wanted["name"])["State"] == "DISABLED"


def test_a_crash_between_two_writes_is_made_up_for(client: CountingClient) -> None:
    schedules = stage(client)
    first, second = planned("crash", "a", "b")
    apply(schedules, "crash", [first])
    schedules.create(first["name"], next(iter(schedule_changes(schedules, "crash", [first]))).start)  # type: ignore[arg-type]
    assert apply(schedules, "crash", [first, second])["created"] == [second["name"]]
    schedules.delete(first["name"])
    schedules.delete(first["name"])
    assert schedules.names(names_begin_with("crash")) == [second["name"]]
