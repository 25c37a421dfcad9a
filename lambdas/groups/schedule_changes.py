"""Bring a dataset group's schedules to what its request says; what is as it says is not written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lambdas.gateways.event_schedules import EventSchedules, ScheduledStart
from lambdas.requests.schedules.planned_schedules import PlannedSchedule, names_begin_with


@dataclass(frozen=True)
class ScheduleChange:
    """What becomes of one schedule: create, update, delete or leave."""

    verb: str
    name: str
    start: ScheduledStart | None = None  # None: it goes


def schedule_changes(
    schedules: EventSchedules, group: str, planned: Sequence[PlannedSchedule]
) -> Iterator[ScheduleChange]:
    """Yield what becomes of each schedule of a group, in the order of the request, then those that go."""
    there = set(schedules.names(names_begin_with(group)))
    for wanted in planned:
        name, start = str(wanted["name"]), _start(group, wanted)
        if name not in there:
            yield ScheduleChange("create", name, start)
        else:
            yield ScheduleChange("leave" if schedules.is_as(name, start) else "update", name, start)
    for name in sorted(there - {str(wanted["name"]) for wanted in planned}):
        yield ScheduleChange("delete", name)


def apply(schedules: EventSchedules, group: str, planned: Sequence[PlannedSchedule]) -> dict[str, list[str]]:
    """Carry the changes out; return the names of the schedules by what became of them."""
    done: dict[str, list[str]] = {"created": [], "updated": [], "deleted": [], "unchanged": []}
    for change in schedule_changes(schedules, group, planned):
        _carry_out(schedules, change)
        done[_OUTCOMES[change.verb]].append(change.name)
    return done


_OUTCOMES: Final = {"create": "created", "update": "updated", "delete": "deleted", "leave": "unchanged"}


def _carry_out(schedules: EventSchedules, change: ScheduleChange) -> None:
    if change.start is None:
        schedules.delete(change.name)
        return
    writes: Mapping[str, Callable[[str, ScheduledStart], None]] = {
        "create": schedules.create,
        "update": schedules.update,
    }
    if write := writes.get(change.verb):
        write(change.name, change.start)


def _start(group: str, wanted: PlannedSchedule) -> ScheduledStart:
    description = f"{wanted['action']} for dataset group {group}; made from its request, which is to be changed instead"
    return ScheduledStart(wanted["expression"], wanted["timezone"], wanted["machine"], wanted["input"], description)
