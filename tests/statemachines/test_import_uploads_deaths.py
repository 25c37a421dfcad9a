"""The process that runs import_uploads dies after each of its states in turn; the sweep has somebody carry on."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from personalize_local.aws.stepfunctions.executions import all_executions
from personalize_local.aws.stepfunctions.local_execution import LocalExecution
from personalize_local.cloud import Cloud
from tests.statemachines.uploads_group import Group, csv

# Every state left, and every function asked for and answered: what is between two of these is done or not done.
POINTS = ("StateExited", "LambdaFunctionScheduled", "LambdaFunctionSucceeded", "TaskSubmitted")


class Death:
    """Stops the executions of one machine when so many points of their histories have been passed."""

    def __init__(self, machine_arn: str) -> None:
        self._machine_arn = machine_arn
        self.countdown = -1

    def watch(self, manager: Any, event_type: str) -> None:
        if self.countdown < 0 or not event_type.endswith(POINTS):
            return
        for execution in all_executions():
            if execution.state_machine.arn == self._machine_arn and execution._environment.event_manager is manager:
                self.countdown -= 1
                if self.countdown < 0:
                    kill(execution)


def kill(execution: LocalExecution) -> None:
    """Stop the execution at the very place where its thread is now."""
    stopping = threading.Thread(target=execution.stop, args=(execution.start_date, "Killed", "by the test"))
    stopping.start()
    execution.ended.wait(5)


@pytest.fixture
def death(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Death]:
    death = Death(cloud.deployment.state_machines["import_uploads"])
    add_event = EventManager.add_event

    def add_and_watch(self: EventManager, context: Any, event_type: Any, *arguments: Any, **named: Any) -> int:
        number: int = add_event(self, context, event_type, *arguments, **named)
        death.watch(self, str(event_type.value))
        return number

    monkeypatch.setattr(EventManager, "add_event", add_and_watch)
    yield death
    death.countdown = -1


# moto's thread for a `.sync:2` task stumbles when its execution is stopped at that very moment: the dead may stumble.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nothing_is_lost_or_imported_twice_wherever_it_dies(cloud: Cloud, death: Death) -> None:
    group = Group(cloud, "mortal")
    group.create()
    deaths = 0
    while deaths < 100:
        death.countdown = deaths
        group.drop(f"{deaths:02d}.csv", csv(f"user{deaths}"))
        group.runs()
        survived, death.countdown = death.countdown >= 0, -1
        while {state for states in group.states().values() for state in states} != {"IMPORTED"}:
            group.sweep()
            cloud.quiesce()
        if survived:
            break
        deaths += 1
    assert deaths >= 20  # 21 at the time of writing: ten states, the functions in them, and the child
    aborted = [execution for execution in group.executions() if execution.exec_status == "ABORTED"]
    assert len(aborted) == deaths
    assert group.states() == {f"{number:02d}.csv": ["IMPORTED"] for number in range(deaths + 1)}
    assert len(group.jobs()) == deaths + 1
    assert len(group.exported()) == 1000 * (deaths + 1)
