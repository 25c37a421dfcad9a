"""The resources of one account in one region, behind one lock."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

from moto.utilities.utils import get_partition

from personalize_local.clock import CLOCK
from personalize_local.engine.engine import Engine
from personalize_local.personalize.controls.durations import DURATIONS
from personalize_local.personalize.controls.faults import FAULTS
from personalize_local.personalize.controls.switches import SWITCHES
from personalize_local.personalize.protocol.service_errors import ServiceError, already_exists, invalid_input, not_found
from personalize_local.personalize.resources.arns import is_of_type
from personalize_local.personalize.resources.job_runner import USUAL, Making, Task
from personalize_local.personalize.resources.records import Members, Record, Update
from personalize_local.personalize.resources.resource_types import TYPES, ResourceType
from personalize_local.personalize.resources.service import current_home
from personalize_local.personalize.resources.sessions import SeenEvents, Sessions
from personalize_local.personalize.resources.status_timeline import CREATE, Course, Words, Work, settled

_ARN_DEPTHS = {"dataset": 3, "solution_version": 3}


class Account:
    """Everything one account has in one region. Hold `lock` around every use; nothing here does real work."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self.partition = get_partition(region)
        self.lock = threading.RLock()
        self._moment = CLOCK.time()
        self._records: dict[str, dict[str, Record]] = {noun: {} for noun in TYPES}
        self._changing: set[tuple[str, str]] = set()
        self._numbers = itertools.count(1)
        self.changes = 0  # grows with every change of what must survive a restart
        self.sessions = Sessions()
        self.seen_events = SeenEvents()

    @property
    def engine(self) -> Engine:
        """The engine that does the real work of this account and region."""
        return current_home().engine(self.account_id, self.region)

    def now(self) -> float:
        """Return the simulated time of the call under way: it stands still until the next `settle`."""
        return self._moment

    def arn(self, *path: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:personalize:{self.region}:{self.account_id}:{'/'.join(path)}"

    # Finding

    def all(self, noun: str, **members: Any) -> Iterator[Record]:
        """Yield the resources of a type whose members are as given, oldest first."""
        for record in self._records[noun].values():
            if all(record.members.get(key) == value for key, value in members.items()):
                yield record

    def under_way(self, noun: str) -> Iterator[Record]:
        """Yield the resources of a type that are still being made or changed."""
        for changing, arn in self._changing:
            if changing == noun and not self._records[noun][arn].course.at(self._moment).over:
                yield self._records[noun][arn]

    def get(self, noun: str, arn: str) -> Record | None:
        """Return a resource, or None."""
        return self._records[noun].get(arn)

    def find(self, noun: str, arn: str) -> Record:
        """Return a resource; an ARN of another type is an input error, an unknown one is not found."""
        if not is_of_type(arn, TYPES[noun].path, _ARN_DEPTHS.get(noun, 2)):
            # A bare solution where a version is asked for is simply not found on the real service.
            if noun == "solution_version" and is_of_type(arn, "solution", 2):
                raise not_found(arn)
            raise invalid_input(f"Invalid {TYPES[noun].arn_key}: {arn}")
        record = self._records[noun].get(arn)
        if record is None:
            raise not_found(arn)
        return record

    def require_active(self, *records: Record) -> None:
        """Raise unless all can be used."""
        now = self.now()
        for record in records:
            if not record.is_active(now):
                raise ServiceError(
                    SWITCHES.parent_not_active, f"{record.arn} is not ACTIVE; its status is {record.status(now)}."
                )

    def require_free(self, noun: str, arn: str) -> None:
        """Raise when the ARN is taken."""
        if arn in self._records[noun]:
            raise already_exists(arn)

    # Changing

    def add(
        self, noun: str, arn: str, members: Members, *, making: Making = USUAL, notes: Members | None = None
    ) -> Record:
        """Begin a resource's life; `tags` leave the members, `notes` are never shown."""
        row, now = TYPES[noun], self.now()
        tags = {tag["tagKey"]: tag["tagValue"] for tag in members.pop("tags", None) or ()}
        shown = _present(members)
        words = making.words or row.words
        course = settled(CREATE, now) if words is None else self._making(row, arn, str(shown[row.named]), words, making)
        record = Record(row, arn, shown, course, now, next(self._numbers), tags=tags, notes=notes or {})
        self._records[noun][arn] = record
        self.changes += 1
        if words is not None:
            self._changing.add((noun, arn))
        return record

    def _making(self, row: ResourceType, arn: str, name: str, words: Words, making: Making) -> Course:
        failure = FAULTS.take_failure(row.noun, name)
        seconds = DURATIONS.draw(making.lasting_as or f"create {row.noun}", arn, making.extra_seconds)
        work = None if making.task is None or failure else self.start(making.task)
        return Course(words, self.now(), seconds * FAULTS.slowness(row.noun, name), work, failure)

    def start(self, work: Task) -> Work:
        """Begin real work."""
        return current_home().workshop.start(work)

    def begin_update(self, record: Record, shown: Members, effect: Members | None = None) -> None:
        """Begin a change that is told as `shown` and takes effect (if different, as `effect`) when it is done."""
        row = record.type
        course = self._making(row, record.arn, record.name, row.update_words, Making(lasting_as=f"update {row.noun}"))
        record.update = Update(_present(shown), _present(shown if effect is None else effect), course)
        self.changes += 1
        self._changing.add((row.noun, record.arn))

    def change_course(
        self, record: Record, words: Words, verb: str, task: Task | None = None, *, at_once: bool = False
    ) -> None:
        """Send a resource another way: deletion, stop, start."""
        noun = record.type.noun
        usual = 0.0 if at_once else DURATIONS.draw(f"{verb} {noun}", record.arn)
        seconds = usual * FAULTS.slowness(noun, record.name)
        record.course = Course(words, self.now(), seconds, self.start(task) if task else None)
        record.arrived = False
        self.changes += 1
        self._changing.add((noun, record.arn))

    def remove(self, record: Record) -> None:
        """Forget a resource at once; a solution's versions go with it."""
        for version in list(self.all("solution_version", solutionArn=record.arn)):
            self.remove(version)
        self._records[record.type.noun].pop(record.arn, None)
        self.changes += 1
        self._changing.discard((record.type.noun, record.arn))

    # Time

    def settle(self) -> list[Record]:
        """Act on every course that has ended since the last call; return the resources that changed."""
        now = self._moment = CLOCK.time()
        changing = [self._records[noun][arn] for noun, arn in self._changing]
        changing.sort(key=lambda record: record.course.started)
        return [record for record in changing if self._settle(record, now)]

    def _settle(self, record: Record, now: float) -> bool:
        updated = self._apply_update(record, now)
        stage = record.course.at(now)
        arrived = stage.over and not record.arrived
        if arrived and record.is_going():
            self.remove(record)
            return False
        if arrived:
            record.arrived = True
            record.members |= stage.gain.members
            record.notes |= stage.gain.notes
        if stage.over and not record.is_updating(now):
            self._changing.discard((record.type.noun, record.arn))
        return arrived or updated

    def _apply_update(self, record: Record, now: float) -> bool:
        update = record.update
        stage = update.course.at(now) if update is not None and not update.applied else None
        if update is None or stage is None or not stage.over:
            return False
        update.applied = True
        record.touched = stage.since
        if not stage.failed:
            record.members |= update.effect
            if record.stage(now).failed:  # the update has brought up what never came up
                record.course = settled(CREATE, stage.since)
        return True

    def restore(self, record: Record) -> None:
        """Take back a saved resource; oldest first."""
        self._numbers = itertools.count(record.number + 1)
        self._records[record.type.noun][record.arn] = record
        self._changing.add((record.type.noun, record.arn))

    def everything(self) -> Iterator[Record]:
        """Yield all resources, type by type, oldest first."""
        for records in self._records.values():
            yield from records.values()


def _present(members: Members) -> Members:
    return {key: value for key, value in members.items() if value is not None}
