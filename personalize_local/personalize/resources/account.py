"""Hold the resources of one account in one region, behind one lock."""

import itertools
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from moto.utilities.utils import get_partition

from personalize_local.clock import CLOCK
from personalize_local.engine.engine import Engine
from personalize_local.personalize.controls.quotas import Quota, refusal
from personalize_local.personalize.protocol.service_errors import (
    ServiceError,
    already_exists,
    invalid_input,
    limit_exceeded,
    not_found,
)
from personalize_local.personalize.resources.arns import is_of_type
from personalize_local.personalize.resources.job_runner import NO_OPTIONS, CreationOptions, Task
from personalize_local.personalize.resources.records import Members, Record, Update
from personalize_local.personalize.resources.resource_types import TYPES, ResourceLifecycle
from personalize_local.personalize.resources.service import PersonalizeService
from personalize_local.personalize.resources.sessions import SeenEvents, Sessions
from personalize_local.personalize.resources.status_timeline import CREATE, BackgroundJob, StatusTimeline, StatusWords

_ARN_DEPTHS = {"dataset": 3, "solution_version": 3}


class Account:
    """Everything one account has in one region. Hold `lock` around every use; nothing here takes long."""

    def __init__(self, service: PersonalizeService, account_id: str, region: str) -> None:
        self.service = service
        self.switches = service.switches
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
        self.request_points: dict[tuple[str, ...], tuple[int, Any]] = {}  # the newest of each metric, and its window
        self.trainings_checked = (-1, 0.0)  # at which `changes`, and until when that holds

    @cached_property
    def engine(self) -> Engine:
        """The engine of this account and region."""
        return self.service.engine(self.account_id, self.region)

    @property
    def lists_newest_first(self) -> bool:
        """Whether List operations begin with what was created last."""
        return self.switches.list_order == "newest first"

    def now(self) -> float:
        """Return the simulated time of the call under way: it stands still until the next `apply_due_changes`."""
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
            if changing == noun and not self._records[noun][arn].timeline.at(self._moment).over:
                yield self._records[noun][arn]

    def get(self, noun: str, arn: str) -> Record | None:
        """Return a resource, or None."""
        return self._records[noun].get(arn)

    def find(self, noun: str, arn: str) -> Record:
        """Return a resource; an ARN of another type is an input error, an unknown one is not found."""
        record = self._records[noun].get(arn)
        if record is None:
            raise self._unknown(noun, arn)
        return record

    def _unknown(self, noun: str, arn: str) -> ServiceError:
        if is_of_type(arn, TYPES[noun].path, _ARN_DEPTHS.get(noun, 2)):
            return not_found(arn)
        # A bare solution where a version is asked for is simply not found on the real service.
        if noun == "solution_version" and is_of_type(arn, "solution", 2):
            return not_found(arn)
        return invalid_input(f"Invalid {TYPES[noun].arn_key}: {arn}")

    def require_active(self, *records: Record) -> None:
        """Raise unless all can be used."""
        now = self.now()
        for record in records:
            if not record.is_active(now):
                raise ServiceError(
                    self.switches.parent_not_active, f"{record.arn} is not ACTIVE; its status is {record.status(now)}."
                )

    def require_begun(self, record: Record) -> None:
        """Raise unless a record can be used or soon can: for what AWS makes within seconds, and programs await less."""
        if record.is_going() or record.point(self.now()).failed:
            self.require_active(record)

    def require_free(self, noun: str, arn: str) -> None:
        """Raise when the ARN is taken."""
        if arn in self._records[noun]:
            raise already_exists(arn)

    def require_quota(self, noun: str, group_arn: str | None = None) -> None:
        """Raise LimitExceededException when one more resource of the type would be too many."""
        quota = self.service.quotas.table.get(noun)
        is_full = quota is not None and self.switches.quotas and self._count(noun, quota, group_arn) >= quota.limit
        if is_full or self.service.faults.is_quota_full(noun):
            raise limit_exceeded(refusal(noun, quota))

    def _count(self, noun: str, quota: Quota, group_arn: str | None) -> int:
        counted = self.under_way(noun) if quota.counts == "busy" else self.all(noun)
        return sum(1 for record in counted if quota.per == "region" or record.group_arn == group_arn)

    def still_needed(self, arn: str, by: str) -> ServiceError:
        """Return the error for deleting what another resource depends on."""
        code = self.switches.deletion_of_what_is_needed
        return ServiceError(code, f"{arn} cannot be deleted: {by} depends on it.")

    # Changing

    def add(
        self,
        noun: str,
        arn: str,
        members: Members,
        *,
        options: CreationOptions = NO_OPTIONS,
        notes: Members | None = None,
    ) -> Record:
        """Begin a resource's life; `tags` leave the members, `notes` are never shown."""
        row, now = TYPES[noun], self.now()
        tags = {tag["tagKey"]: tag["tagValue"] for tag in members.pop("tags", None) or ()}
        shown = _present(members)
        words = options.words or row.words
        timeline = (
            StatusTimeline(CREATE, now, 0.0)
            if words is None
            else self._timeline(row, arn, str(shown[row.named]), words, options)
        )
        record = Record(row, arn, shown, timeline, now, next(self._numbers), tags=tags, notes=notes or {})
        self._records[noun][arn] = record
        self.changes += 1
        if words is not None:
            self._changing.add((noun, arn))
        return record

    def _timeline(
        self, row: ResourceLifecycle, arn: str, name: str, words: StatusWords, options: CreationOptions
    ) -> StatusTimeline:
        failure = self.service.faults.take_failure(row.noun, name)
        slowness = self.service.faults.slowness(row.noun, name)
        what = options.duration or f"create {row.noun}"
        seconds = self.service.durations.draw(what, arn, options.extra_seconds, slowness)
        job = None if options.task is None or failure else self.start(options.task)
        return StatusTimeline(words, self.now(), seconds, job, failure)

    def start(self, task: Task) -> BackgroundJob:
        """Begin a background job."""
        return self.service.job_runner.start(task)

    def begin_update(self, record: Record, shown: Members, effect: Members | None = None) -> None:
        """Begin a change that is shown as `shown` and takes effect (if different, as `effect`) when it is done."""
        row = record.type
        timeline = self._timeline(
            row, record.arn, record.name, row.update_words, CreationOptions(duration=f"update {row.noun}")
        )
        record.update = Update(_present(shown), _present(shown if effect is None else effect), timeline)
        self.changes += 1
        self._changing.add((row.noun, record.arn))

    def begin_transition(
        self, record: Record, words: StatusWords, verb: str, task: Task | None = None, *, at_once: bool = False
    ) -> None:
        """Send a resource another way: deletion, stop, start."""
        noun = record.type.noun
        slowness = self.service.faults.slowness(noun, record.name)
        seconds = 0.0 if at_once else self.service.durations.draw(f"{verb} {noun}", record.arn, slowness=slowness)
        record.timeline = StatusTimeline(words, self.now(), seconds, self.start(task) if task else None)
        record.arrived, record.end = False, None
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

    def apply_due_changes(self) -> list[Record]:
        """Apply the transitions that have ended since the last call; return the resources that changed."""
        now = self._moment = CLOCK.time()
        changing = [self._records[noun][arn] for noun, arn in self._changing]
        changing.sort(key=lambda record: record.timeline.started)
        return [record for record in changing if self._apply_due_change(record, now)]

    def _apply_due_change(self, record: Record, now: float) -> bool:
        updated = self._apply_update(record, now)
        point = record.timeline.at(now)
        arrived = point.over and not record.arrived
        if arrived and record.is_going():
            self.remove(record)
            return False
        if arrived:
            record.arrived = True
            record.members |= point.result.members
            record.notes |= point.result.notes
        if point.over and not record.is_updating(now):
            self._changing.discard((record.type.noun, record.arn))
            record.end = point
        return arrived or updated

    def _apply_update(self, record: Record, now: float) -> bool:
        update = record.update
        point = update.timeline.at(now) if update is not None and not update.applied else None
        if update is None or point is None or not point.over:
            return False
        update.applied = True
        record.touched = point.since
        if not point.failed:
            record.members |= update.effect
            if record.point(now).failed:  # the update has brought up what never came up
                record.timeline, record.end = StatusTimeline(CREATE, point.since, 0.0), None
        return True

    def restore(self, record: Record) -> None:
        """Take back a saved resource; oldest first."""
        self._numbers = itertools.count(record.number + 1)
        self._records[record.type.noun][record.arn] = record
        self._changing.add((record.type.noun, record.arn))

    def everything(self) -> Iterator[Record]:
        """Yield all resources, type by type, oldest first."""
        yield from itertools.chain.from_iterable(records.values() for records in self._records.values())


def _present(members: Members) -> Members:
    return {key: value for key, value in members.items() if value is not None}
