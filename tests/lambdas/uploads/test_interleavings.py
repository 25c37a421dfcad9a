"""Exactly once, whatever the order: uploads, events, states, deaths and sweeps in any interleaving."""

from collections import Counter
from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from lambdas.bucket_layout import dataset_key_of
from lambdas.uploads.records.file_row import FileRow, FileState
from tests.lambdas.gateways.memory_table import CrashError
from tests.lambdas.uploads.world import SETTLED, Execution, World, csv

LANE = dataset_key_of("movies", "items")
KEYS = ("a.csv", "b.csv", "c d+é.csv", "full/a.csv", "full/b.csv")


class Interleavings(RuleBasedStateMachine):
    """A world in which everything that may happen happens in any order."""

    events = Bundle("events")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.uploaded: dict[str, tuple[str, str]] = {}  # content -> key, version
        self.undelivered: list[dict[str, Any]] = []
        self.deadly = False

    @initialize(deadly=strategies.booleans())
    def choose_fate(self, deadly: bool) -> None:
        """Half of the worlds know no death: in those nothing may ever need a sweep."""
        self.deadly = deadly

    def running(self) -> list[Execution]:
        return [execution for execution in self.world.executions.values() if execution.status == "RUNNING"]

    @rule(target=events, name=strategies.sampled_from(KEYS), twice=strategies.booleans())
    def upload(self, name: str, twice: bool) -> Any:
        content = csv(f"user{len(self.uploaded)}", rows=2)
        key = f"uploads/{LANE}/{name}"
        event = self.world.upload(key, content)
        self.uploaded[content.decode()] = (key, event["detail"]["object"]["version-id"])
        self.undelivered.append(event)
        return multiple(event, event) if twice else event

    @rule(event=consumes(events))
    def deliver(self, event: dict[str, Any]) -> None:
        self.world.deliver(event)
        self.undelivered = [other for other in self.undelivered if other is not event]

    @rule(target=events, event=consumes(events), writes=strategies.integers(0, 3))
    def die_while_delivering(self, event: dict[str, Any], writes: int) -> Any:
        """SQS delivers a message again until its consumer has said that it is done."""
        self.world.table.writes_left = writes
        try:
            self.world.deliver(event)
        except CrashError:
            return event
        finally:
            self.world.table.writes_left = None
        self.undelivered = [other for other in self.undelivered if other is not event]
        return multiple()

    @rule(data=strategies.data())
    def step(self, data: strategies.DataObject) -> None:
        if running := self.running():
            self.world.step(data.draw(strategies.sampled_from(running)))

    @rule(data=strategies.data(), event=consumes(events), calls=strategies.integers(0, 20))
    def step_while_an_event_arrives(self, data: strategies.DataObject, event: dict[str, Any], calls: int) -> None:
        if running := self.running():
            self.world.table.interrupt(calls, lambda: self.deliver_once(event))
            self.world.step(data.draw(strategies.sampled_from(running)))
            self.world.table.interrupt(0, None)
        self.deliver_once(event)

    def deliver_once(self, event: dict[str, Any]) -> None:
        if any(other is event for other in self.undelivered):
            self.deliver(event)

    @precondition(lambda self: self.deadly)
    @rule(data=strategies.data(), calls=strategies.integers(0, 20), states=strategies.integers(0, 6))
    def step_while_taken_for_dead(self, data: strategies.DataObject, calls: int, states: int) -> None:
        """Let a function go on while its execution was killed and another one has taken over."""
        if running := self.running():
            execution = data.draw(strategies.sampled_from(running))
            self.world.table.interrupt(calls, lambda: self.take_over(execution, states))
            self.world.step(execution)
            self.world.table.interrupt(0, None)
            self.world.kill(execution)

    def take_over(self, execution: Execution, states: int) -> None:
        self.world.kill(execution)
        other = self.world.begin(LANE, f"by-hand-{len(self.world.executions)}")
        for _ in range(states):
            self.world.step(other)

    @rule()
    def run(self) -> None:
        self.world.run()

    @rule()
    def start_by_hand(self) -> None:
        self.world.begin(LANE, f"by-hand-{len(self.world.executions)}")

    @rule()
    def start_for_a_pipeline(self) -> None:
        """Take the lease from whoever has not committed to a batch, alive or not."""
        self.world.begin(LANE, f"pipeline-{len(self.world.executions)}", urgent=True)

    @precondition(lambda self: self.deadly)
    @rule(data=strategies.data(), haunts=strategies.booleans())
    def kill(self, data: strategies.DataObject, haunts: bool) -> None:
        if running := self.running():
            execution = data.draw(strategies.sampled_from(running))
            self.world.kill(execution)
            if haunts:
                self.world.haunt(execution)

    @precondition(lambda self: self.deadly)
    @rule(data=strategies.data())
    def haunt(self, data: strategies.DataObject) -> None:
        """Let the function of an execution that was killed long ago end only now."""
        if dead := [one for one in self.world.executions.values() if one.status == "ABORTED"]:
            self.world.haunt(data.draw(strategies.sampled_from(dead)))

    @precondition(lambda self: self.deadly)
    @rule(data=strategies.data(), writes=strategies.integers(0, 5))
    def die_inside_a_state(self, data: strategies.DataObject, writes: int) -> None:
        if running := self.running():
            self.world.table.writes_left = writes
            execution = data.draw(strategies.sampled_from(running))
            try:
                self.world.step(execution)
            finally:
                self.world.table.writes_left = None
            self.world.kill(execution)

    @precondition(lambda self: self.deadly)
    @rule()
    def fail_the_next_job(self) -> None:
        self.world.failing = "the service says no"

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @invariant()
    def nothing_is_imported_twice(self) -> None:
        read = Counter(content for _, contents in self.world.jobs.values() for content in contents)
        assert [content for content, times in read.items() if times > 1 and not self.is_torn(content)] == []

    def is_torn(self, content: str) -> bool:
        """Say whether an import in place read this while it was meant to read the version before it.

        Only then is something read twice; the service keeps identical rows once.
        """
        key, _ = self.uploaded[content]
        return content in self.world.read_in_place and len(self.world.objects.versions[key]) > 1

    @invariant()
    def nobody_sleeps_while_something_waits(self) -> None:
        """Without deaths and failures no sweep is needed: no wake-up is ever lost."""
        if not self.deadly and not self.world.failed_jobs and not self.running():
            coming = [event["detail"]["object"]["version-id"] for event in self.undelivered]
            assert [row for row in self.world.ledger.unsettled(LANE) if row.version not in coming] == []

    def teardown(self) -> None:
        for event in self.undelivered:
            self.world.deliver(event)
        self.world.failing = ""
        for _ in range(6):
            self.world.run()
            self.world.sweep()
        self.world.run()
        self.everything_is_settled_once()

    def everything_is_settled_once(self) -> None:
        read = {content for _, contents in self.world.jobs.values() for content in contents}
        rows = {(row.key, row.version): row for row in all_rows(self.world)}
        assert self.world.leases.holder_of(LANE) is None
        for content, upload in self.uploaded.items():
            row = rows[upload]
            assert row.state in SETTLED
            assert (row.state is FileState.IMPORTED) == (content in read) or self.is_torn(content), row
            if row.state is FileState.SUPERSEDED:
                assert self.is_replaced(row, list(rows.values())), row
            if row.state is FileState.REJECTED:
                assert row.attempts == 2
                assert row.reason == "the service says no"

    def is_replaced(self, row: FileRow, rows: list[FileRow]) -> bool:
        """Say whether the object was overwritten, or a replacement of everything came later."""
        newer = [other for other in rows if other.key == row.key and other.arrived > row.arrived]
        full = [other for other in rows if other.full and other.arrived > row.arrived]
        return bool(newer or full)


def all_rows(world: World) -> list[FileRow]:
    keys = {str(item["key"]) for item in world.table.entries(LANE, "file#")}
    return [row for key in keys for row in world.ledger.versions(LANE, key)]


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
